/** Picture files in Node: PNG by our own reader, to the bit; all others by sharp. */
import { UnitscopeError } from '../../errors.ts';
import { decodePng, MAX_PIXELS, type Image } from '../../index.ts';
import { readBytes } from './files.ts';

/** Formats that are taken from sharp. Drawings (SVG, PDF) are none: they may refer to other files. */
const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif', 'avif'];

const NAME = /\.(png|jpe?g|webp|gif|tiff?|avif|heic|bmp)$/i;

/** True for a path whose name is that of a picture. */
export function isPictureName(path: string): boolean {
  return NAME.test(path);
}

/** A picture file as 8-bit RGBA, turned as its EXIF says. Throws 'io' or 'image-decode', naming the file. */
export async function readPicture(path: string): Promise<Image> {
  const bytes = await readBytes(path);
  if (bytes.length === 0) throw undecodable(path, 'the file is empty');
  try {
    return isPlainPng(bytes) ? await decodePng(bytes) : await decodeOther(bytes);
  } catch (cause) {
    if (!(cause instanceof UnitscopeError)) throw undecodable(path, (cause as Error).message, cause);
    throw new UnitscopeError(cause.code, cause.message, { file: path, ...cause.address }, cause.hint, { cause });
  }
}

function undecodable(path: string, reason: string, cause?: unknown): UnitscopeError {
  return new UnitscopeError('image-decode', `this is no picture that can be read: ${reason}`, { file: path }, `formats: ${FORMATS.join(', ')}`, { cause });
}

/** A PNG without interlacing: byte 28, the last of IHDR, is 0. */
function isPlainPng(bytes: Uint8Array): boolean {
  return [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte) && bytes[28] !== 1;
}

async function decodeOther(bytes: Uint8Array): Promise<Image> {
  const { default: sharp } = await import('sharp');
  // Harmless warnings are let pass; damage and cut files are not.
  const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
  const { format } = await picture.metadata();
  if (!FORMATS.includes(format)) throw new Error(`${format} is not taken`);
  const { data, info } = await picture.rotate().toColourspace('srgb').ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`it has ${info.channels} channels after conversion`);
  return { width: info.width, height: info.height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength) };
}
