import { describe, expect, test } from 'vitest';
import { shapesOf } from '../../../src/index.ts';
import { formulaTensor } from '../formula.ts';
import { formatSizes } from './command.ts';
import { parseOptions } from './options.ts';
import { checkOf, graphOf, type ServerReport, type ServerRow } from './report.ts';
import { chooseRows, ROWS, smokeNetwork } from './rows.ts';
import { formatReport } from './table.ts';

describe('a check', () => {
  test('is what pytorch.py makes of the same formula', () => {
    const { shape, data } = formulaTensor('Smoke/x', [2, 3, 19, 19], 1);
    expect(checkOf(shape, data).checksum).toBe(2484809174);
    expect(checkOf([96, 3, 11, 11], formulaTensor('conv1/w', [96, 3, 11, 11], 0.5).data).checksum).toBe(1281301520);
  });

  test('tells bits and places apart, and keeps elements over the whole length', () => {
    const check = checkOf([4], Float32Array.of(3, 0, 4, 0));
    expect(check).toMatchObject({ shape: [4], norm: 5, values: [3, 0, 4, 0] });
    expect(checkOf([4], Float32Array.of(0, 3, 4, 0)).checksum).not.toBe(check.checksum);
    expect(checkOf([4], Float32Array.of(3, -0, 4, 0)).checksum).not.toBe(check.checksum);
    const numbers = Float32Array.from({ length: 128 }, (_, i) => i);
    expect(checkOf([1, 128], numbers).values.slice(-2)).toEqual([124, 126]);
    expect(checkOf([2, 64], numbers).values.slice(-2)).toEqual([126, 127]); // 64 of every image
  });
});

test('a graph has all attributes and no numbers', () => {
  const graph = graphOf(smokeNetwork());
  expect(graph).toMatchObject({ name: 'Smoke', input: 'x', shape: [1, 3, 19, 19], output: 'fc' });
  expect(graph.nodes[0]).toMatchObject({ name: 'conv1', weight: [8, 3, 3, 3], bias: [8], attributes: { stride: [2, 2], dilation: [1, 1], groups: 1 } });
  expect(graph.nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(['conv2d', 'relu', 'max_pool', 'lrn', 'add', 'concat', 'global_average_pool', 'dense']));
  expect(JSON.stringify(graph).length).toBeLessThan(5000);
});

describe('the rows', () => {
  test('have titles of their own and need no files', () => {
    expect(new Set(ROWS.map(({ title }) => title)).size).toBe(ROWS.length);
    expect(ROWS.every(({ source }) => 'make' in source)).toBe(true);
    expect(shapesOf(smokeNetwork()).get('fc')).toEqual([1, 10]);
  });

  test('are the networks forward and with the gradient at batch 1 and 16, and steps of CaffeNet', () => {
    for (const name of ['AlexNet', 'CaffeNet', 'VGG16', 'ResNet-50']) {
      const found = chooseRows(`^${name} .*(forward|gradient)$`).map(({ batch, kind }) => `${batch} ${kind}`);
      expect(found).toEqual(['1 forward', '1 forward + gradient', '16 forward', '16 forward + gradient']);
    }
    expect(chooseRows('maximize').map(({ title }) => title)).toEqual(['CaffeNet x1 maximize step', 'CaffeNet x16 maximize step', 'SqueezeNet 1.1 fire5.3x3 x1 maximize step', 'SqueezeNet 1.1 fire5.3x3 x16 maximize step']);
    expect(chooseRows().some(({ group }) => group === 'smoke')).toBe(false);
    expect(chooseRows('^smoke conv')).toHaveLength(2);
  });
});

describe('the options', () => {
  test('have defaults', () => expect(parseOptions([])).toEqual({ only: undefined, samples: 7, json: 'bench.json', list: false, tune: false }));
  test.each([[['--samples', '0']], [['--only', '(']], [['--fast']]])('refuse %s', (args) => expect(() => parseOptions(args)).toThrow());
});

describe('the table', () => {
  const row = (title: string, samples: number[], fault?: string): ServerRow => ({
    title, network: 'n', kind: 'forward', batch: 16, amplitude: 1, flops: 8e9,
    timing: { contender: 'unitscope', samples, repeat: 1, first: 50, compile: 40, kernels: 7, ...(fault && { fault }) },
  });
  const report: ServerReport = { date: '', version: '0.1.0', node: 'v20', adapter: 'maker chip', software: false, flopsPerSecond: 4e12, rows: [row('a', [4]), row('b', [], 'out of memory')], networks: {} };

  test('gives the time of an image, and the rate beside the ceiling', () => {
    const line = formatReport(report).split('\n').find((text) => text.startsWith('a '))!;
    expect(line.split(/\s\s+/)).toEqual(['a', '4.00', '4.00..4.00', '0.250', '2000', '50 %', '50.0', '40.0', '7']);
  });

  test('says what failed', () => expect(formatReport(report)).toContain('FAILED b: out of memory'));
});

test('sizes are told packed and unpacked, against the limit', () => {
  const text = formatSizes('/pack', [{ path: 'node.gz', bytes: 40 * 2 ** 20, rawBytes: 99 * 2 ** 20 }, { path: 'bench.mjs', bytes: 2 ** 20, rawBytes: 2 ** 20 }]);
  expect(text).toContain('41.0 MiB in all, below 64.0 MiB; 100.0 MiB unpacked');
  expect(formatSizes('/pack', [{ path: 'node.gz', bytes: 65 * 2 ** 20, rawBytes: 99 * 2 ** 20 }])).toContain('MORE than');
});
