import { describe, expect, test } from 'vitest';
import type { Report, RowRecord, Timing } from './record.ts';
import { alarms, formatTable, number } from './table.ts';

const timing = (contender: Timing['contender'], samples: number[], rest: Partial<Timing> = {}): Timing => ({ contender, samples, repeat: 1, ...rest });

const row = (title: string, ...timings: Timing[]): RowRecord => ({ title, kind: 'forward', batch: 1, flops: 2e9, timings });

const report = (rows: RowRecord[], software = true): Report => ({
  date: '',
  browser: 'Chrome/1',
  machine: { adapter: { vendor: 'maker', architecture: 'chip', description: '', software }, userAgent: '', isolated: true },
  versions: { unitscope: '0.1.0' },
  options: {},
  rows,
});

const fields = (text: string, title: string): string[] => text.split('\n').find((line) => line.startsWith(`${title}  `))!.slice(title.length).trim().split(/\s\s+/);

describe('formatTable', () => {
  test('gives median, spread, GFLOP/s, first run, compilation, ratio and error', () => {
    const text = formatTable(report([row('conv', timing('unitscope', [20, 10, 40], { first: 123.4, compile: 99.5, kernels: 3 }), timing('ort', [50, 50, 60], { first: 2000, error: 2e-7 }))]), ['ort']);
    expect(fields(text, 'conv')).toEqual(['20.0', '10.0..40.0', '100', '123', '99.5', '3', '50.0', '50.0..60.0', '2.50x', '2000', '2e-7']);
    expect(text).toMatch(/^software adapter maker chip · Chrome\/1 · unitscope 0\.1\.0\n/);
  });

  test('says adapter where it is a GPU', () => expect(formatTable(report([row('conv', timing('unitscope', [1]))], false), [])).toMatch(/^adapter maker chip/));

  test('says how few samples a slow contender has', () => {
    const text = formatTable(report([row('net', timing('unitscope', [10]), timing('tfjs', [4000, 5000, 6000]))]), ['tfjs']);
    expect(fields(text, 'net')).toContain('5000 n=3');
  });

  test('explains below what did not run, what is wrong and what is odd', () => {
    const rows = [
      row('a', timing('unitscope', [1]), timing('ort', [], { fault: 'no such op' }), timing('tfjs', [2], { note: 'some layers on the CPU' })),
      row('b', timing('unitscope', [1]), timing('ort', [], { fault: 'WRONG: disagrees', error: 0.5 })),
      row('c', timing('unitscope', [], { fault: 'out of memory' })),
    ];
    const text = formatTable(report(rows), ['ort', 'tfjs']);
    expect(fields(text, 'a')).toContain('none [1]');
    expect(fields(text, 'a')).toContain('2.00 [2]');
    expect(fields(text, 'b')).toEqual(expect.arrayContaining(['WRONG [3]', '5e-1', '-']));
    expect(fields(text, 'c')).toContain('FAILED [4]');
    expect(text).toContain('[1] a, ort-web WebGPU: no such op');
    expect(text).toContain('[4] c, unitscope: out of memory');
  });

  test('tells the time of an image where there are batches', () => {
    const text = formatTable(report([row('one', timing('unitscope', [10])), { ...row('four', timing('unitscope', [20]), timing('ort', [60])), batch: 4 }]), ['ort']);
    expect(text).toContain('an image');
    expect(fields(text, 'one')).toEqual(['10.0', '10.0..10.0', '200', '10.0', '-']);
    expect(fields(text, 'four')).toEqual(['20.0', '20.0..20.0', '100', '5.00', '60.0', '60.0..60.0', '3.00x']);
  });

  test('tells images per second of training, of all', () => {
    const training = { ...row('net x16', timing('unitscope', [200]), timing('tfjs', [1000], { error: 2e-6 })), kind: 'training step', batch: 16 } as const;
    const text = formatTable(report([row('conv', timing('unitscope', [10]), timing('tfjs', [20])), training]), ['tfjs']);
    expect(text.match(/images\/s/g)).toHaveLength(2);
    expect(text).toContain('training step: forward, ');
    expect(fields(text, 'net x16')).toEqual(['200', '200..200', '10.0', '12.5', '80.0', '1000', '1000..1000', '5.00x', '2e-6', '16.0']);
    expect(fields(text, 'conv')).toEqual(['10.0', '10.0..10.0', '200', '10.0', '20.0', '20.0..20.0', '2.00x']);
    expect(formatTable(report([row('conv', timing('unitscope', [10]))]), [])).not.toContain('training');
  });

  test('has no ratio where ours has no time', () => {
    const text = formatTable(report([row('a', timing('unitscope', [], { fault: 'x' }), timing('ort', [5]))]), ['ort']);
    expect(text).not.toMatch(/\dx/);
  });
});

test('alarms are for what is wrong and for ours, not for what a peer lacks', () => {
  const rows = [
    row('a', timing('unitscope', [1]), timing('ort', [], { fault: 'no such op' })),
    row('b', timing('unitscope', [1]), timing('tfjs', [], { fault: 'WRONG: disagrees' })),
    row('c', timing('unitscope', [], { fault: 'out of memory' })),
    row('d', timing('ort', [], { fault: 'the page died' })),
  ];
  expect(alarms(rows)).toEqual(['b, tfjs WebGPU: WRONG: disagrees', 'c, unitscope: out of memory', 'd, ort-web WebGPU: the page died']);
});

test.each([[1234.5, '1235'], [99.95, '100.0'], [12.34, '12.3'], [1.234, '1.23'], [0.0123, '0.012'], [NaN, 'NaN']])('%s ms is written %s', (value, text) => {
  expect(number(value)).toBe(text);
});
