import { writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { UnitscopeError } from '../../../src/errors.ts';
import { readPicture } from '../../../src/node/command/picture.ts';
import { example, useFolder } from './program.ts';

const folder = useFolder();

type Picture = ReturnType<typeof sharp>;

/** 24 x 16: red at the top left, blue elsewhere. */
function picture(): Picture {
  const pixels = Buffer.from(Array.from({ length: 24 * 16 }, (_, i) => (i % 24 < 12 && i < 24 * 8 ? [255, 0, 0] : [0, 0, 255])).flat());
  return sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } });
}

async function stored(name: string, made: Picture): Promise<string> {
  writeFileSync(folder(name), await made.toBuffer());
  return folder(name);
}

const pixelAt = ({ width, data }: { width: number; data: Uint8ClampedArray }, x: number, y: number): number[] => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
const isNear = (pixel: readonly number[], wanted: readonly number[]): boolean => pixel.every((value, c) => Math.abs(value - wanted[c]) < 40);

describe('pictures', () => {
  test.each([
    ['plain.png', () => picture().png()],
    ['interlaced.png', () => picture().png({ progressive: true })],
    ['lossless.webp', () => picture().webp({ lossless: true })],
    ['one.gif', () => picture().gif()],
    ['deep.tiff', () => picture().toColourspace('rgb16').tiff()],
    ['photo.jpg', () => picture().jpeg({ quality: 100 })],
  ])('%s', async (name, make) => {
    const image = await readPicture(await stored(name, make()));
    expect([image.width, image.height]).toEqual([24, 16]);
    expect(isNear(pixelAt(image, 4, 4), [255, 0, 0, 255])).toBe(true);
    expect(isNear(pixelAt(image, 20, 12), [0, 0, 255, 255])).toBe(true);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %d is applied', async (orientation) => {
    const path = await stored(`turned${orientation}.jpg`, picture().withMetadata({ orientation }).jpeg({ quality: 100 }));
    const image = await readPicture(path);
    expect([image.width, image.height]).toEqual(orientation < 5 ? [24, 16] : [16, 24]);
    const right = [2, 3, 6, 7].includes(orientation);
    const low = [3, 4, 7, 8].includes(orientation);
    const corner = pixelAt(image, right ? image.width - 4 : 3, low ? image.height - 4 : 3);
    expect(isNear(corner, [255, 0, 0, 255])).toBe(true);
  });

  test('gray and CMYK become RGBA', async () => {
    const gray = await readPicture(await stored('gray.jpg', picture().grayscale().jpeg()));
    expect(new Set(pixelAt(gray, 2, 2).slice(0, 3)).size).toBe(1);
    const cmyk = await readPicture(await stored('cmyk.jpg', picture().toColourspace('cmyk').jpeg()));
    expect([cmyk.width, cmyk.height, cmyk.data.length]).toEqual([24, 16, 24 * 16 * 4]);
  });

  test('the pixels of a PNG arrive to the bit', async () => {
    const path = example('fish');
    const { data } = await sharp(path).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(Buffer.compare(Buffer.from((await readPicture(path)).data), data)).toBe(0);
  });
});

describe('what is no picture', () => {
  /** A JPEG whose header claims 20,000 x 20,000 pixels. */
  async function enlarged(): Promise<Uint8Array> {
    const bytes = await picture().jpeg().toBuffer();
    const frame = bytes.indexOf(Uint8Array.of(0xff, 0xc0));
    for (const at of [5, 7]) bytes.writeUInt16BE(20_000, frame + at);
    return bytes;
  }

  async function fault(name: string, bytes: Uint8Array | string): Promise<UnitscopeError> {
    writeFileSync(folder(name), bytes);
    return readPicture(folder(name)).then(
      () => Promise.reject(new Error(`${name} was read`)),
      (error: unknown) => error as UnitscopeError,
    );
  }

  test.each<[string, () => Promise<Uint8Array | string>, RegExp?]>([
    ['empty.png', () => Promise.resolve('')],
    ['junk.png', () => Promise.resolve('this is no picture at all')],
    ['drawing.svg', () => Promise.resolve('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['cut.png', async () => (await picture().png().toBuffer()).subarray(0, 60)],
    ['cut.jpg', async () => (await sharp(example('fish')).jpeg().toBuffer()).subarray(0, 4000)],
    ['large.jpg', () => enlarged(), /pixel limit/],
  ])('%s', async (name, make, message = /./) => {
    const error = await fault(name, await make());
    expect(error.code).toBe('image-decode');
    expect(error.message).toMatch(message);
    expect(error.address.file).toBe(folder(name));
  });
});
