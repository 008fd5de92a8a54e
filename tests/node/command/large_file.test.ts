/** A file of half a gigabyte: read once, held once. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { architectureCalled } from '../../../src/formats/architectures/weights.ts';
import { encodeText } from '../../../src/formats/text.ts';
import { tensorsOf } from '../../formats/architectures/files.ts';
import { formulaTensor } from '../../recorded/formula_weights.ts';
import { start, useFolder } from './program.ts';

const folder = useFolder();

/**
 * Writes VGG16's weights piece by piece: 138 M numbers of 0.02 at most, which repeat. The header has an odd length, as
 * files of the first writers may: the numbers lie unaligned in the file.
 */
function writeVgg16(path: string): number {
  let end = 0;
  const entries = [...tensorsOf(architectureCalled('vgg16'))].map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const header = encodeText(JSON.stringify(Object.fromEntries(entries)));
  const head = new Uint8Array(8 + Math.ceil(header.length / 8) * 8 + 3).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(header, 8);
  const piece = new Uint8Array(formulaTensor('piece', [2 ** 21], 0.02).data.buffer);
  const file = openSync(path, 'w');
  writeSync(file, head);
  for (let at = 0; at < end; at += piece.length) writeSync(file, piece.subarray(0, Math.min(piece.length, end - at)));
  closeSync(file);
  return head.length + end;
}

/** Runs the built program; its most bytes of memory at one time beside what it printed. */
async function measured(...words: string[]): Promise<{ exit: number | null; out: string; peak: number }> {
  const report = `process.on('exit', () => require('node:fs').writeSync(2, '<peak ' + process.resourceUsage().maxRSS + '>'))`;
  const { exit, out, err } = await start(words, { environment: { NODE_OPTIONS: `--import ${dataUrl(report)}` } });
  return { exit, out, peak: 1024 * Number(/<peak (\d+)>/.exec(err)![1]) };
}

const dataUrl = (code: string): string =>
  `data:text/javascript,${encodeURIComponent(`import { createRequire } from 'node:module'; const require = createRequire('file:///'); ${code}`)}`;

test('weights of 553 MB take little more memory than the file', async () => {
  const path = folder('vgg16.safetensors');
  const bytes = writeVgg16(path);
  expect([statSync(path).size, Math.round(bytes / 1e6)]).toEqual([bytes, 553]);
  const [small, large] = [await measured('inspect', '--json'), await measured('inspect', path, '--json')];
  expect([small.exit, large.exit]).toEqual([0, 0]);
  expect(JSON.parse(large.out)).toMatchObject({ name: 'vgg16', parameters: 138_357_544 });
  console.log(`file ${(bytes / 1e6).toFixed(0)} MB; most memory ${(large.peak / 1e6).toFixed(0)} MB, with the embedded network ${(small.peak / 1e6).toFixed(0)} MB`);
  expect(large.peak).toBeLessThan(1.3 * bytes);
});
