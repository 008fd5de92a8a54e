/** What a file is by its first bytes, for messages about files that no loader takes. */
import { UnitscopeError } from '../errors.ts';
import { quote } from '../network/spelling.ts';
import { asciiPrefix } from './text.ts';

interface Content {
  /** Fits into 'this is ...'. */
  what: string;
  hint: string;
  /** A place where a model should be, instead of a file of another kind. */
  placeholder?: boolean;
}

const CONVERT = 'export the network to ONNX';

/** Known contents by a prefix at an offset. */
const SIGNATURES: readonly { bytes: readonly number[]; at?: number; content: Content }[] = [
  { bytes: [0x89, 0x48, 0x44, 0x46], content: { what: 'an HDF5 file (Keras .h5?)', hint: CONVERT } },
  { bytes: [0x50, 0x4b, 3, 4], content: { what: 'a zip archive (PyTorch, Keras or npz?)', hint: `unpack it, or ${CONVERT}` } },
  { bytes: [0x80, 2, 0x8a, 0x0a], content: { what: 'a PyTorch pickle', hint: CONVERT } },
  { bytes: [0x1f, 0x8b], content: { what: 'a gzip archive', hint: 'unpack it first' } },
  { bytes: [0x54, 0x46, 0x4c, 0x33], at: 4, content: { what: 'a TensorFlow Lite model', hint: CONVERT } },
  { bytes: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], content: { what: 'a .npy array', hint: 'an array alone is no network' } },
  { bytes: [0x89, 0x50, 0x4e, 0x47], content: { what: 'a PNG picture', hint: 'open it as an image' } },
  { bytes: [0xff, 0xd8, 0xff], content: { what: 'a JPEG picture', hint: 'open it as an image' } },
  { bytes: [0x25, 0x50, 0x44, 0x46], content: { what: 'a PDF document', hint: '' } },
];

/** Recognises what can be named; undefined for everything else. */
export function recogniseContent(bytes: Uint8Array): Content | undefined {
  if (bytes.length === 0) return { what: 'an empty file', hint: 'download or copy it again', placeholder: true };
  for (const { bytes: prefix, at = 0, content } of SIGNATURES) {
    if (prefix.every((byte, index) => bytes[at + index] === byte)) return content;
  }
  const start = asciiPrefix(bytes, 64).trimStart().toLowerCase();
  if (start.startsWith('version https://git-lfs')) {
    const hint = "this is only a pointer; get the file itself with 'git lfs pull'";
    return { what: 'a Git LFS pointer', hint, placeholder: true };
  }
  if (/^(\.\.\.)?<(!doctype|html|head|body|\?xml|!--)/.test(start)) {
    return { what: 'a web page', hint: 'download the file itself, not the page about it', placeholder: true };
  }
  return undefined;
}

/** One phrase for messages: the kind of file, or its first bytes. */
export function describeContent(bytes: Uint8Array): string {
  const known = recogniseContent(bytes);
  if (known) return known.what;
  const isText = bytes.subarray(0, 24).every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13);
  if (isText) return `text that begins with ${quote(asciiPrefix(bytes, 24))}`;
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `unknown content that begins with the bytes ${hex}`;
}

/** Throws when the bytes are an empty file, a web page or a Git LFS pointer: whatever was wanted, it is not here. */
export function refuseForeign(bytes: Uint8Array, file: string): void {
  const content = recogniseContent(bytes);
  if (!content?.placeholder) return;
  throw new UnitscopeError('model-format', `this is ${content.what}, not a model`, { file, offset: 0 }, content.hint);
}
