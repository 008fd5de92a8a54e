/** Pictures of the browser as our images: decoding files, grabbing frames, showing. */
import { MAX_PIXELS, UnitscopeError, type Image } from '../src/index.ts';

/** Files larger than this are not opened as pictures. */
const MAX_BYTES = 256 * 2 ** 20;

/** Width and height by the header of a PNG, before anything is decoded; other formats are measured afterwards. */
function pngSize(bytes: Uint8Array): number {
  if (bytes.length < 24 || bytes[0] !== 0x89 || bytes[1] !== 0x50) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(16) * view.getUint32(20);
}

/** Decodes what the browser can decode, turned as its EXIF says. @throws image-decode */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Image> {
  const refuse = (message: string, cause?: unknown): UnitscopeError =>
    new UnitscopeError('image-decode', message, { file }, 'PNG, JPEG, WebP, GIF and AVIF are known', { cause });
  if (bytes.length === 0) throw refuse('this is an empty file');
  if (bytes.length > MAX_BYTES || pngSize(bytes) > MAX_PIXELS) throw refuse(`this picture is too large (more than ${MAX_PIXELS / 2 ** 20} megapixels)`);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), { imageOrientation: 'from-image', premultiplyAlpha: 'none' });
  } catch (cause) {
    throw refuse('the browser cannot read this as a picture', cause);
  }
  try {
    if (bitmap.width * bitmap.height > MAX_PIXELS) throw refuse(`this picture is too large (${bitmap.width} x ${bitmap.height} pixels)`);
    return grab(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** The pixels of anything that a canvas can draw, at a given size. */
export function grab(source: CanvasImageSource, width: number, height: number): Image {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Shows an image on a canvas, pixel by pixel. */
export function showPicture(canvas: HTMLCanvasElement, { width, height, data }: Image): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext('2d')!.putImageData(new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height), 0, 0);
}

/** Hands a file to the person. */
export function saveFile(name: string, bytes: Uint8Array<ArrayBuffer>, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
