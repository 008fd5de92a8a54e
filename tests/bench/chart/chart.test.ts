import { describe, expect, test } from 'vitest';
import type { Report, RowRecord, Timing } from '../record.ts';
import { barChart } from './bars.ts';
import { batchSeries, pixelSeries, scalingChart } from './scaling.ts';
import { element, text } from './svg.ts';

const timing = (contender: Timing['contender'], samples: number[], rest: Partial<Timing> = {}): Timing => ({ contender, samples, repeat: 1, ...rest });

const report = (rows: RowRecord[]): Report => ({
  date: '',
  browser: 'Chrome/1',
  machine: { adapter: { vendor: 'maker', architecture: 'chip', description: '', software: true }, userAgent: '', isolated: true },
  versions: { unitscope: '0.1.0' },
  options: {},
  rows,
});

const row = (title: string, ...timings: Timing[]): RowRecord => ({ title, kind: 'forward', batch: 1, flops: 2e9, timings });

/** Widths of the bars of one colour, in order. */
const widths = (svg: string, color: string): number[] =>
  [...svg.matchAll(new RegExp(`<rect [^>]*width="([\\d.]+)" height="9" fill="${color}"`, 'g'))].map(([, width]) => Number(width));

describe('SVG', () => {
  test('escapes what it is given', () => {
    expect(element('g', { id: 'a"b', width: 1.26, none: undefined }, 'x')).toBe('<g id="a&quot;b" width="1.3">x</g>');
    expect(text(0, 0, 'a < b & c')).toContain('a &lt; b &amp; c');
  });
});

describe('the bars', () => {
  const svg = barChart(
    report([
      row('conv <1>', timing('unitscope', [10]), timing('ort', [100])),
      row('conv 2', timing('unitscope', [20, 10, 30]), timing('ort', [], { fault: 'WRONG: disagrees' })),
      row('conv 3', timing('unitscope', [50]), timing('ort', [], { fault: 'no such op' })),
    ]),
    ['unitscope', 'ort'],
  );

  test('have lengths by the logarithm of the median', () => {
    const [first, second, third] = widths(svg, '#0f766e');
    expect(first).toBe(1); // the least of all is where the axis begins
    expect(second! / third!).toBeCloseTo(Math.log(20 / 10) / Math.log(50 / 10), 1);
    expect(widths(svg, '#f59e0b')).toHaveLength(1);
  });

  test('say the time, the ratio, and what is missing', () => {
    for (const words of ['conv &lt;1&gt;', '100 (10.0x)', 'wrong result', 'none', 'software adapter maker chip · Chrome/1', 'ort-web WebGPU']) expect(svg).toContain(words);
  });

  test('are drawn where nothing was measured', () => expect(barChart(report([row('a', timing('unitscope', [], { fault: 'x' }))]), ['unitscope'])).toContain('failed'));
});

describe('the scaling', () => {
  const point = (batch: number, size: number, ms: number, flops: number): RowRecord => ({ title: `scaling Net ${batch}x${size} forward`, kind: 'forward', batch, size, flops, timings: [timing('unitscope', [ms])] });
  const rows = [point(1, 200, 10, 4), point(1, 100, 3, 1), point(1, 400, 50, 16), point(4, 200, 32, 16)];

  test('is of one image', () => {
    expect(batchSeries(rows, ['unitscope']).map(({ points }) => points)).toEqual([[{ x: 1, y: 10 }, { x: 4, y: 8 }]]);
  });

  test('has a line proportional to the FLOPs through the size of the batches', () => {
    const [series] = pixelSeries(rows, ['unitscope']);
    expect(series!.points.map(({ y }) => y)).toEqual([3, 10, 50]);
    expect(series!.proportional).toEqual([{ x: 10_000, y: 2.5 }, { x: 40_000, y: 10 }, { x: 160_000, y: 40 }]);
  });

  test('is a picture where there are such rows', () => {
    const svg = scalingChart(report([...rows, row('other', timing('unitscope', [1]))]), ['unitscope'])!;
    for (const words of ['Net: time of one image', '200 x 200 pixels', '400²', 'proportional to the FLOPs']) expect(svg).toContain(words);
    expect(svg).not.toContain('NaN');
    expect(scalingChart(report([row('other', timing('unitscope', [1]))]), ['unitscope'])).toBeUndefined();
  });
});
