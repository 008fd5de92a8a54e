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

/** PyTorch's own files are programs: a pickle may run anything. So they are named, and converted where they were made. */
const SAVE = [
  "import torch; from safetensors.torch import save_file; d = torch.load('weights.pth', map_location='cpu', weights_only=True)",
  "d = d.get('state_dict', d); save_file({k: v.clone().contiguous() for k, v in d.items()}, 'weights.safetensors')",
].join('; ');
const CONVERT_PICKLE = `${CONVERT}, or save its weights as safetensors: python -c "${SAVE}"`;

/** Known contents by a prefix at an offset. */
const SIGNATURES: readonly { bytes: readonly number[]; at?: number; content: Content }[] = [
  { bytes: [0x89, 0x48, 0x44, 0x46], content: { what: 'an HDF5 file (Keras .h5?)', hint: CONVERT } },
  { bytes: [0x50, 0x4b, 3, 4], content: { what: 'a zip archive (PyTorch, Keras or npz?)', hint: `unpack it, or ${CONVERT}` } },
  { bytes: [0x80, 2, 0x8a, 0x0a], content: { what: 'a PyTorch pickle', hint: CONVERT_PICKLE } },
  ...[2, 3, 4, 5].map((version) => ({ bytes: [0x80, version], content: { what: 'a Python pickle (PyTorch?)', hint: CONVERT_PICKLE } })),
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
  if (isTorchZip(bytes)) return { what: 'a PyTorch archive', hint: CONVERT_PICKLE };
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

/** A zip archive whose first file is a pickle: its name stands behind a header of 30 bytes, its length in bytes 26 and 27. */
function isTorchZip(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b || bytes[2] !== 3 || bytes[3] !== 4) return false;
  const length = (bytes[26] ?? 0) | ((bytes[27] ?? 0) << 8);
  return /(^|\/)data\.pkl$/.test(asciiPrefix(bytes.subarray(30), length));
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
