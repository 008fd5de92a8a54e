import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cycle, hostNames, misdirected, type Sources } from './architecture.ts';

const root = join(import.meta.dirname, '..');

function sourcesOf(...folders: string[]): Sources {
  const files = folders.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }));
  const paths = files.filter((file) => file.isFile() && /\.ts$/.test(file.name)).map((file) => join(file.parentPath, file.name));
  return new Map(paths.map((path) => [relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]));
}

const sources = sourcesOf('src', 'shaders', 'viewer');

describe('the sources', () => {
  test('are found', () => {
    expect([...sources.keys()]).toContain('src/errors.ts');
    expect(sources.size).toBeGreaterThan(20);
  });

  test('import along the order of the rooms', () => expect(misdirected(sources)).toEqual([]));

  test('have no cycle', () => expect(cycle(sources)).toEqual([]));

  test('keep the page out of the engine, and Node in its room', () => expect(hostNames(sources)).toEqual([]));
});

/** Every planted violation must be seen, and named. */
describe('the check', () => {
  const plant = (path: string, text: string): Sources => new Map([[path, text]]);

  test.each([
    ['src/gpu/engine.ts', `import { ops } from '../ops/index.ts';`],
    ['src/network/validate.ts', `import type { Op } from '../ops/op.ts';`],
    ['src/ops/relu.ts', `export { run } from '../scheduler/run.ts';`],
    ['src/scheduler/plan.ts', `const later = () => import('../methods/maximize.ts');`],
    ['src/image/recipe.ts', `type T = import('../gpu/engine.ts').Engine;`],
    ['src/formats/onnx/graph.ts', `import { conv2d } from '../../ops/conv2d.ts';`],
    ['src/methods/maximize.ts', `import { loadNetwork } from '../formats/loader.ts';`],
    ['src/methods/maximize.ts', `import { maximize } from '../index.ts';`],
    ['src/analysis/cluster.ts', `import { Engine } from '../gpu/engine.ts';`],
    ['src/errors.ts', `import { quote } from './network/spelling.ts';`],
    ['src/index.ts', `export * from './node/host.ts';`],
    ['shaders/conv2d.wgsl.ts', `import { tile } from '../src/ops/conv2d_tile.ts';`],
    ['viewer/app.ts', `import { Engine } from '../src/gpu/engine.ts';`],
    ['viewer/app.ts', `import Chart from 'uplot';`],
    ['src/node/command/plan.ts', `import { compile } from '../../scheduler/compile.ts';`],
    ['src/formats/npy.ts', `import { readFile } from 'node:fs/promises';`],
    ['src/helpers/misc.ts', `import '../errors.ts';`],
    ['src/gpu/engine.ts', `const name = 'x'; void import(name);`],
  ])('sees a wrong import in %s: %s', (path, text) => {
    expect(misdirected(plant(path, text))).toHaveLength(1);
  });

  test.each([
    ['src/ops/relu.ts', `import { relu } from '../../shaders/relu.wgsl.ts'; import type { Node } from '../network/network.ts';`],
    ['src/node/unitscope.ts', `import { Engine } from '../index.ts'; import { readFile } from 'node:fs/promises'; import sharp from 'sharp';`],
    ['viewer/app.ts', `import { html } from 'lit'; import { map } from 'lit/directives/map.js'; import { Engine } from '../src/index.ts';`],
    ['shaders/relu.wgsl.ts', `import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js'; import './prelude.wgsl.ts';`],
    ['src/index.ts', `export * from './methods/maximize.ts'; export { loadNetwork } from './formats/loader.ts';`],
  ])('lets a right import pass in %s', (path, text) => {
    expect(misdirected(plant(path, text))).toEqual([]);
  });

  test('sees a cycle, also one of types', () => {
    const ring: Sources = new Map([
      ['src/ops/a.ts', `import { b } from './b.ts';`],
      ['src/ops/b.ts', `import type { C } from './c.ts';`],
      ['src/ops/c.ts', `export * from './a.ts';`],
    ]);
    expect(cycle(ring)).toEqual(['src/ops/a.ts', 'src/ops/b.ts', 'src/ops/c.ts', 'src/ops/a.ts']);
    expect(cycle(new Map([...ring].slice(0, 2)))).toEqual([]);
  });

  test.each([
    `document.title = '';`,
    `const gpu = navigator.gpu;`,
    `const gpu = globalThis.navigator.gpu;`,
    `function show(canvas: HTMLCanvasElement) { return canvas; }`,
    `const width = window.innerWidth;`,
    `export const at = { window };`,
    `const limit = process.env.LIMIT;`,
    `const bytes = Buffer.from('');`,
    `let timer: NodeJS.Timeout;`,
  ])('sees a host in the engine: %s', (text) => {
    expect(hostNames(plant('src/gpu/engine.ts', text))).toHaveLength(1);
  });

  test('a name that the file declares is its own', () => {
    const text = `
      import type { Node, Element } from '../network/network.ts';
      function pool(window: number, { document }: { document: string }) { return window + document.length; }
      interface Item { process: string; location: number }
      export const item = (it: Item) => it.process + it.location;`;
    expect(hostNames(plant('src/ops/pool.ts', text))).toEqual([]);
  });

  test('the viewer sees the page and not Node; src/node sees Node', () => {
    expect(hostNames(plant('viewer/app.ts', `document.title = ''; console.log(process.env);`))).toEqual(['viewer/app.ts uses process']);
    expect(hostNames(plant('src/node/unitscope.ts', `process.exitCode = 1;`))).toEqual([]);
  });
});
