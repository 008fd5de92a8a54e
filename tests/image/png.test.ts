import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { createImage } from '../../src/image/image.ts';
import type { Image } from '../../src/image/image.ts';
import { decodePng, encodePng, readPngText } from '../../src/image/png.ts';
import { concat, crc32, readChunks, writeChunks } from '../../src/image/png_chunk.ts';
import { NumpyRandom } from '../../src/image/numpy_random.ts';

const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A PNG of these rows (filter byte included), whatever they are. */
function png(header: number[], rows: number[], extra: { type: string; data: Uint8Array }[] = []): Uint8Array {
  const ihdr = new Uint8Array(13);
  const [width = 1, height = 1, depth = 8, color = 2, ...rest] = header;
  new DataView(ihdr.buffer).setUint32(0, width);
  new DataView(ihdr.buffer).setUint32(4, height);
  ihdr.set([depth, color, ...rest], 8);
  const data = new Uint8Array(deflateSync(Uint8Array.from(rows)));
  return writeChunks([{ type: 'IHDR', data: ihdr }, ...extra, { type: 'IDAT', data }]);
}

const imageError = (message: RegExp) =>
  expect.objectContaining({ code: 'image-decode', message: expect.stringMatching(message) as string });

/** Smooth and noisy parts, so that several filters win. */
function picture(width: number, height: number, kind: 'gray' | 'rgb' | 'rgba'): Image {
  const image = createImage(width, height, [0, 0, 0]);
  const random = new NumpyRandom(width * height);
  for (let i = 0; i < width * height; i++) {
    const x = i % width;
    const y = Math.floor(i / width);
    const rgb = y % 3 === 0 ? [0, 1, 2].map(() => random.uniform(0, 256)) : [x * 3, y * 5, x + y];
    image.data.set(kind === 'gray' ? [x * y, x * y, x * y] : rgb, i * 4);
    if (kind === 'rgba') image.data[i * 4 + 3] = (x * 7) % 256;
  }
  return image;
}

test.each(['gray', 'rgb', 'rgba'] as const)('%s: what we write we read, and so does another decoder', async (kind) => {
  for (const [width, height] of [[1, 1], [1, 9], [17, 1], [61, 43]] as const) {
    const image = picture(width, height, kind);
    const bytes = await encodePng(image);
    expect(await decodePng(bytes)).toEqual(image);
    const other = await sharp(bytes).toColourspace('srgb').ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(other.info).toMatchObject({ width, height, channels: 4 });
    expect(Buffer.compare(other.data, Buffer.from(image.data))).toBe(0);
  }
});

test('the smallest colour type and useful filters are chosen', async () => {
  const types = await Promise.all(
    (['gray', 'rgb', 'rgba'] as const).map(async (kind) => readChunks(await encodePng(picture(31, 20, kind)))[0]?.data[9]),
  );
  expect(types).toEqual([0, 2, 6]);
  const smooth = createImage(256, 256, [0, 0, 0]);
  for (let i = 0; i < 65536; i++) smooth.data.set([i % 256, i >> 8, ((i % 256) + (i >> 8)) >> 1], i * 4);
  expect((await encodePng(smooth)).length).toBeLessThan(4000);
});

test.each(['palette', 'gray16', 'rgb16', 'graya'] as const)('%s from another encoder', async (kind) => {
  const source = picture(33, 21, 'rgba');
  const start = sharp(Buffer.from(source.data), { raw: { width: 33, height: 21, channels: 4 } });
  const encoded = {
    palette: () => start.png({ palette: true, colours: 7 }),
    gray16: () => start.removeAlpha().toColourspace('grey16').png(),
    rgb16: () => start.toColourspace('rgb16').png(),
    graya: () => start.toColourspace('b-w').png(),
  }[kind];
  const bytes = new Uint8Array(await encoded().toBuffer());
  const image = await decodePng(bytes);
  const other = await sharp(bytes).toColourspace('srgb').ensureAlpha().raw().toBuffer();
  let most = 0;
  for (let i = 0; i < other.length; i++) most = Math.max(most, Math.abs((other[i] ?? 0) - (image.data[i] ?? 0)));
  // 16 bits: we round to 8, the other cuts.
  expect(most).toBeLessThanOrEqual(kind === 'gray16' || kind === 'rgb16' ? 1 : 0);
});

test('each row filter, by hand', async () => {
  const rows = [0, 10, 20, 30, 1, 10, 10, 10, 2, 1, 1, 1, 3, 5, 5, 5, 4, 1, 2, 3];
  // By the rules: sub 10 20 30; up +1; average of left and above; Paeth of left, above, above left.
  const reds = [10, 20, 30, 10, 20, 30, 11, 21, 31, 10, 20, 30, 11, 22, 33];
  const image = await decodePng(png([3, 5, 8, 0, 0, 0, 0], rows));
  expect([...image.data].filter((_, i) => i % 4 === 0)).toEqual(reds);
});

test('few bits, palettes and transparency', async () => {
  const bits = await decodePng(png([3, 1, 1, 0, 0, 0, 0], [0, 0b10100000]));
  expect([...bits.data]).toEqual([255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255]);
  const twoBits = await decodePng(png([2, 1, 2, 0, 0, 0, 0], [0, 0b01100000]));
  expect([twoBits.data[0], twoBits.data[4]]).toEqual([85, 170]);
  const palette = { type: 'PLTE', data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const alpha = { type: 'tRNS', data: Uint8Array.of(9) };
  const indexed = await decodePng(png([2, 1, 4, 3, 0, 0, 0], [0, 0x10], [palette, alpha]));
  expect([...indexed.data]).toEqual([4, 5, 6, 255, 1, 2, 3, 9]);
  const key = { type: 'tRNS', data: Uint8Array.of(0, 7, 0, 8, 0, 9) };
  const keyed = await decodePng(png([2, 1, 8, 2, 0, 0, 0], [0, 7, 8, 9, 7, 8, 10], [key]));
  expect([keyed.data[3], keyed.data[7]]).toEqual([0, 255]);
  const deep = await decodePng(png([2, 1, 16, 0, 0, 0, 0], [0, 0x80, 0x80, 0x7f, 0xff]));
  expect([deep.data[0], deep.data[4]]).toEqual([128, 127]);
});

test.each<[string, Uint8Array, RegExp]>([
  ['no PNG', bytesOf('GIF89a..........'), /no PNG/],
  ['empty', new Uint8Array(0), /no PNG/],
  ['size 0', png([0, 1, 8, 0, 0, 0, 0], [0]), /0 x 1/],
  ['65 megapixels', png([65536, 1025, 8, 0, 0, 0, 0], [0]), /larger than/],
  ['4 billion squared', png([0xffffffff, 0xffffffff, 8, 0, 0, 0, 0], [0]), /larger than/],
  ['64 megapixels of nothing', png([8192, 8192, 8, 0, 0, 0, 0], [0]), /too little data/],
  ['interlaced', png([1, 1, 8, 0, 0, 0, 1], [0, 1]), /interlaced/],
  ['colour type 5', png([1, 1, 8, 5, 0, 0, 0], [0, 1]), /colour type 5/],
  ['3 bits', png([1, 1, 3, 0, 0, 0, 0], [0, 1]), /with 3 bits/],
  ['filter 5', png([1, 1, 8, 0, 0, 0, 0], [5, 1]), /row filter 5/],
  ['too few rows', png([1, 2, 8, 0, 0, 0, 0], [0, 1]), /2 bytes of rows/],
  ['too many rows', png([1, 1, 8, 0, 0, 0, 0], [0, 1, 0, 1]), /more data/],
  ['no palette', png([1, 1, 8, 3, 0, 0, 0], [0, 1]), /no palette/],
  ['palette too short', png([1, 1, 8, 3, 0, 0, 0], [0, 1], [{ type: 'PLTE', data: new Uint8Array(3) }]), /entry 1/],
  ['bad palette', png([1, 1, 8, 3, 0, 0, 0], [0, 1], [{ type: 'PLTE', data: new Uint8Array(4) }]), /4 bytes/],
  ['no IDAT', writeChunks([{ type: 'IHDR', data: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0) }]), /no picture data/],
  ['no IHDR', writeChunks([{ type: 'IDAT', data: new Uint8Array(0) }]), /begin with IHDR/],
])('%s is refused', async (_, bytes, message) => {
  await expect(decodePng(bytes)).rejects.toThrow(imageError(message));
});

test('a bomb is stopped at the size that the header declares', async () => {
  const bomb = png([1, 1, 8, 0, 0, 0, 0], []);
  const data = new Uint8Array(deflateSync(new Uint8Array(20_000_000)));
  const [header] = readChunks(bomb);
  const bytes = writeChunks([header as { type: string; data: Uint8Array }, { type: 'IDAT', data }]);
  await expect(decodePng(bytes)).rejects.toThrow(imageError(/more data/));
});

test('every truncation and every flipped byte is noticed', async () => {
  const bytes = await encodePng(picture(9, 7, 'rgb'), { unitscope: '{}' });
  for (let length = 0; length < bytes.length; length++) {
    await expect(decodePng(bytes.subarray(0, length))).rejects.toThrow(UnitscopeError);
    expect(() => readPngText(bytes.subarray(0, length))).toThrow(UnitscopeError);
  }
  for (let i = 0; i < bytes.length; i++) {
    const flipped = bytes.slice();
    flipped[i] = (flipped[i] as number) ^ 0x20;
    await expect(decodePng(flipped)).rejects.toThrow(UnitscopeError);
  }
});

test('damage behind a right checksum ends in our error or in a picture', async () => {
  const chunks = readChunks(await encodePng(picture(9, 7, 'rgb'), { unitscope: '{"a":1}' }));
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(255), async (which, where, byte) => {
      const damagedChunks = chunks.map(({ type, data }) => ({ type, data: data.slice() }));
      const { data } = damagedChunks[which % damagedChunks.length] as { data: Uint8Array };
      if (data.length > 0) data[where % data.length] = byte;
      const bytes = writeChunks(damagedChunks);
      const outcomes = await Promise.allSettled([decodePng(bytes), Promise.resolve().then(() => readPngText(bytes))]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(UnitscopeError);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('text comes back, in any script, from other programs too', async () => {
  const text = { unitscope: '{"method":"maximize"}', Comment: 'Größe 倍率 🔬\nzweite Zeile', Empty: '' };
  const bytes = await encodePng(picture(3, 3, 'rgb'), text);
  expect(readPngText(bytes)).toEqual(text);
  expect((await sharp(bytes).metadata()).comments).toContainEqual({ keyword: 'Comment', text: text.Comment });
  const [header, ...rest] = readChunks(bytes);
  const foreign = [
    { type: 'tEXt', data: bytesOf('Title\0Stra\xdfe') },
    { type: 'zTXt', data: bytesOf('Packed\0\0??') },
    { type: 'iTXt', data: bytesOf('Packed\0\x01\0\0\0??') },
    { type: 'iTXt', data: bytesOf('Author\0\0\0en\0Auteur\0me') },
    { type: 'tEXt', data: bytesOf('__proto__\0x') },
  ];
  const found = readPngText(writeChunks([header as { type: string; data: Uint8Array }, ...foreign, ...rest]));
  expect(Object.keys(found).sort()).toEqual(['Author', 'Comment', 'Empty', 'Title', '__proto__', 'unitscope'].sort());
  expect([found['Title'], found['Author']]).toEqual(['Straße', 'me']);
});

test.each([
  ['tEXt', 'no zero'],
  ['tEXt', '\0no keyword'],
  ['tEXt', `${'k'.repeat(80)}\0x`],
  ['iTXt', 'Key\0\0'],
  ['iTXt', 'Key\0\0\0en\0cut'],
  ['iTXt', 'Key\0\0\0\0\0\xff\xfe'],
])('a damaged %s chunk is refused', async (type, content) => {
  const [header, ...rest] = readChunks(await encodePng(createImage(1, 1)));
  const bytes = writeChunks([header as { type: string; data: Uint8Array }, { type, data: bytesOf(content) }, ...rest]);
  expect(() => readPngText(bytes)).toThrow(expect.objectContaining({ code: 'image-decode' }));
});

test.each(['', ' x', 'x ', 'k'.repeat(80), 'snow ☃', 'a\nb'])("keyword '%s' is refused", async (keyword) => {
  await expect(encodePng(createImage(1, 1), { [keyword]: 'x' })).rejects.toThrow(
    expect.objectContaining({ code: 'usage' }),
  );
});

test('a text with a zero character is refused', async () => {
  await expect(encodePng(createImage(1, 1), { key: 'a\0b' })).rejects.toThrow(/zero character/);
});

test('checksum of the standard example, and several IDAT chunks', async () => {
  expect(crc32(bytesOf('123456789'))).toBe(0xcbf43926);
  const image = picture(20, 20, 'rgb');
  const chunks = readChunks(await encodePng(image)).flatMap(({ type, data }) =>
    type === 'IDAT' ? [{ type, data: data.subarray(0, 5) }, { type, data: data.subarray(5) }] : [{ type, data }],
  );
  expect(await decodePng(writeChunks(chunks))).toEqual(image);
  expect(inflateSync(concat(chunks.slice(1).map(({ data }) => data))).length).toBe(20 * 61);
});
