/** `unitscope scenes`: pictures of the procedural world, as a folder of classes that other tools can read, as a sheet, or both. */
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import {
  createImage,
  drawLettering,
  encodePng,
  letteringSize,
  MAX_PIXELS,
  renderScenes,
  SCENE_CLASSES,
  SCENE_SIZE,
  SCENE_SIZES,
  sheet,
  type Image,
} from '../../index.ts';
import type { Call, Command, Report } from './command.ts';
import { checkTarget, kindOf, makeFolder, writeWhole } from './files.ts';
import { adapterName, withEngine } from './gpu.ts';
import { choiceOf, countOf } from './value.ts';

/** Most pictures of one class in one call. */
const MOST = 100000;

const GAP = 2; // pixels between the pictures of a sheet
const MARGIN = 10; // pixels around the name of a class
const BACKGROUND = [16, 16, 20] as const;
const INK = [225, 225, 230] as const;

export const scenes: Command = {
  name: 'scenes',
  summary: 'draw pictures of the procedural world: 16 classes, from integer seeds',
  operands: [],
  options: {
    out: { type: 'text', value: 'FOLDER', summary: 'write FOLDER/class/seed.png' },
    sheet: { type: 'text', value: 'FILE.png', summary: 'write all of them on one picture, a class a row' },
    classes: { type: 'text', value: 'A,B', summary: `which classes: ${SCENE_CLASSES.join(', ')}; all unless given` },
    count: { type: 'text', value: 'N', summary: 'pictures of each class', default: '8' },
    seed: { type: 'text', value: 'S', summary: 'seed of the first one, the next ones follow; networks are trained on seeds from 2147483648 on', default: '0' },
    size: { type: 'text', value: 'N', summary: 'side of the pictures, pixels', default: String(SCENE_SIZE) },
    columns: { type: 'text', value: 'N', summary: 'pictures beside each other on the sheet', default: '8' },
    force: { type: 'flag', summary: 'write over files that are there' },
  },
  examples: [
    ['unitscope scenes --sheet world.png', 'eight pictures of every class on one sheet'],
    ['unitscope scenes --out world --count 100 --size 64', 'a folder for each class with 100 pictures each'],
    ['unitscope scenes --classes flower,fish --seed 7 --count 1 --size 512 --out large', 'large/flower/7.png and large/fish/7.png'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out, sheet: sheetPath } = call.values;
    if (out === undefined && sheetPath === undefined) throw new UnitscopeError('usage', 'no place is given', {}, 'name one with --out FOLDER or --sheet FILE.png');
    const classes = classesOf(call.values.classes);
    const count = countOf('count', call.values.count!, 1, MOST);
    const first = countOf('seed', call.values.seed!, 0, 2 ** 32 - count);
    const size = countOf('size', call.values.size!, SCENE_SIZES.least, SCENE_SIZES.most);
    const columns = Math.min(count, countOf('columns', call.values.columns!, 1, 1000));
    const items = classes.flatMap((number) => Array.from({ length: count }, (_, n) => ({ class: number, seed: first + n })));
    const paths = items.map((item) => (out === undefined ? undefined : join(out, SCENE_CLASSES[item.class], `${item.seed}.png`)));
    if (sheetPath !== undefined) checkSheet(classes.length * Math.ceil(count / columns), columns, size);
    await checkPlaces(call, paths, sheetPath);

    const images: Image[] = [];
    const adapter = await withEngine(async (engine) => {
      if (out !== undefined) for (const number of classes) await makeFolder(join(out, SCENE_CLASSES[number]));
      let done = 0;
      for await (const { index, image } of renderScenes(engine, { items, size, signal: call.signal })) {
        if (paths[index] !== undefined) await writeWhole(paths[index], await encodePng(image));
        if (sheetPath !== undefined) images[index] = image;
        call.progress.report('scenes', ++done, items.length);
      }
      return adapterName(engine);
    });
    if (sheetPath !== undefined) await writeWhole(sheetPath, await encodePng(labelled(images, classes.map((number) => SCENE_CLASSES[number]), columns)));
    const names = classes.map((number) => SCENE_CLASSES[number]);
    return {
      data: { adapter, classes: names, count, seed: first, size, files: paths.filter((path) => path !== undefined), sheet: sheetPath ?? null },
      text: [...(out === undefined ? [] : [`wrote ${items.length} pictures to ${out}`]), ...(sheetPath === undefined ? [] : [`wrote ${sheetPath}`])].join('\n'),
    };
  },
};

/** Class numbers in the order of the world, each once. */
function classesOf(text: string | undefined): number[] {
  if (text === undefined) return SCENE_CLASSES.map((_, number) => number);
  const named = new Set(text.split(',').map((word) => choiceOf('classes', word.trim(), SCENE_CLASSES)));
  return SCENE_CLASSES.flatMap((name, number) => (named.has(name) ? [number] : []));
}

/** Refuses, before any work, a place where something would be lost or nothing can be written. */
async function checkPlaces(call: Call, paths: readonly (string | undefined)[], sheetPath: string | undefined): Promise<void> {
  if (sheetPath !== undefined) await checkTarget(sheetPath, '.png');
  const { out } = call.values;
  const kind = out === undefined ? 'nothing' : await kindOf(out);
  if (kind === 'file' || kind === 'other') throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out! }, 'FOLDER is made where it is not there');
  const places = [...(kind === 'folder' ? paths : []), sheetPath].filter((path) => path !== undefined);
  for (const path of call.flags.has('force') ? [] : places) {
    if ((await kindOf(path)) !== 'nothing') throw new UnitscopeError('usage', `'${path}' is there already`, { file: path }, '--force writes over it');
  }
}

function checkSheet(rows: number, columns: number, size: number): void {
  const pixels = rows * columns * (size + GAP) ** 2;
  if (pixels > MAX_PIXELS / 2) throw new UnitscopeError('usage', `a sheet of ${rows} x ${columns} pictures of ${size} pixels is too large`, {}, 'take fewer or smaller ones');
}

/** The pictures in rows, the name of its class beside the first row of each. */
function labelled(images: readonly Image[], names: readonly string[], columns: number): Image {
  const count = images.length / names.length;
  const side = images[0].width;
  const zoom = side >= 160 ? 3 : 2;
  const left = Math.max(...names.map((name) => letteringSize(name, zoom).width)) + 2 * MARGIN;
  const blocks = names.map((_, n) => sheet(images.slice(n * count, (n + 1) * count), { columns, gap: GAP, background: BACKGROUND }));
  const [{ width, height }] = blocks;
  // Blocks share the gap between them.
  const result = createImage(left + width, names.length * (height - GAP) + GAP, BACKGROUND);
  for (const [n, block] of blocks.entries()) {
    const top = n * (height - GAP);
    for (let y = 0; y < height; y++) result.data.set(block.data.subarray(4 * y * width, 4 * (y + 1) * width), 4 * ((top + y) * result.width + left));
    const { width: wide, height: tall } = letteringSize(names[n], zoom);
    drawLettering(result, names[n], left - MARGIN - wide, top + GAP + Math.floor((side - tall) / 2), { zoom, color: INK });
  }
  return result;
}
