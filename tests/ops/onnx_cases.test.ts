/** The official ONNX operator cases on the GPU: every one that the loader takes must give the recorded numbers. */
import { afterAll, describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { onnxCases } from '../formats/onnx-cases.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from './harness.ts';
import { REFUSED } from './onnx_refused.ts';

const engine = useEngine();

/** Tolerances, far below those of the official runner (1e-3 and 1e-7). */
const RELATIVE = 2e-5;
const ABSOLUTE = 1e-6;
/** The results of this case are recorded with four digits. */
const FOUR_DIGITS = 'test_averagepool_2d_ceil_last_window_starts_on_pad';

const cases = onnxCases();
/** By op. A case is failed until it has ended well. */
const tally = new Map<string, Record<'passed' | 'refused' | 'failed', number>>();
const opsOf = (ops: readonly string[]): string => ops.join('+') || 'Constant';
for (const { ops } of cases) {
  const counts = tally.get(opsOf(ops)) ?? { passed: 0, refused: 0, failed: 0 };
  counts.failed++;
  tally.set(opsOf(ops), counts);
}
const note = (ops: readonly string[], kind: 'passed' | 'refused'): void => {
  const counts = tally.get(opsOf(ops))!;
  counts[kind]++;
  counts.failed--;
};

/** The results of a network by output name; every output is kept. */
async function infer(network: Network, inputs: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const plan = compile(network, { layers: network.outputs, capabilities: engine().capabilities });
  return (await runGuarded(engine(), plan, Object.fromEntries(inputs), network.outputs)).tensors;
}

describe('official ONNX operator cases', () => {
  test('every refused name is that of a case', () => {
    const names = new Set(cases.map(({ name }) => name));
    expect(Object.keys(REFUSED).filter((name) => !names.has(name))).toEqual([]);
  });

  test.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (name, entry) => {
    const reason = REFUSED[name];
    if (reason !== undefined) {
      const before = engine().memory();
      const code = expect.stringMatching(/^model-(unsupported|invalid)$/) as string;
      expect(() => entry.load()).toThrow(expect.objectContaining({ name: UnitscopeError.name, code, message: expect.stringContaining(reason) as string }));
      expect(engine().memory()).toEqual(before);
      note(entry.ops, 'refused');
      return;
    }
    const results = await infer(entry.load(), entry.inputs);
    for (const [output, { shape, data }] of entry.outputs) {
      const got = results.get(output)!;
      expect(got.shape).toEqual(shape);
      const relative = name === FOUR_DIGITS ? 5e-4 : RELATIVE;
      const wrong = [...data.keys()].filter((i) => !(Math.abs(got.data[i]! - data[i]!) <= ABSOLUTE + relative * Math.abs(data[i]!)));
      expect(wrong.slice(0, 5).map((i) => `${output}[${i}] is ${got.data[i]}, not ${data[i]}`)).toEqual([]);
    }
    note(entry.ops, 'passed');
  });

  afterAll(() => {
    const kinds = ['passed', 'refused', 'failed'] as const;
    const row = (op: string, cells: readonly (string | number)[]): string => `  ${op.padEnd(22)} ${cells.map((cell) => String(cell).padStart(8)).join('')}`;
    const rows = [...tally].sort(([a], [b]) => (a < b ? -1 : 1)).map(([op, counts]) => row(op, kinds.map((kind) => counts[kind])));
    const sums = kinds.map((kind) => [...tally.values()].reduce((total, counts) => total + counts[kind], 0));
    console.log(['official ONNX operator cases', row('op', kinds), ...rows, row('all', sums)].join('\n'));
  });
});
