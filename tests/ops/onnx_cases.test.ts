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
const tally = new Map<string, { matched: number; refused: number }>();
const note = (op: string, kind: 'matched' | 'refused'): void => {
  const counts = tally.get(op) ?? { matched: 0, refused: 0 };
  counts[kind]++;
  tally.set(op, counts);
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
    const op = entry.ops.join('+');
    const reason = REFUSED[name];
    if (reason !== undefined) {
      const before = engine().memory();
      const code = expect.stringMatching(/^model-(unsupported|invalid)$/) as string;
      expect(() => entry.load()).toThrow(expect.objectContaining({ name: UnitscopeError.name, code, message: expect.stringContaining(reason) as string }));
      expect(engine().memory()).toEqual(before);
      note(op, 'refused');
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
    note(op, 'matched');
  });

  afterAll(() => {
    const row = (op: string, matched: number, refused: number): string =>
      `  ${op.padEnd(20)} ${String(matched).padStart(3)} match ${String(refused).padStart(3)} refused`;
    const rows = [...tally].sort().map(([op, { matched, refused }]) => row(op, matched, refused));
    const sum = (kind: 'matched' | 'refused'): number => [...tally.values()].reduce((total, counts) => total + counts[kind], 0);
    console.log(['official ONNX operator cases', ...rows, row('all', sum('matched'), sum('refused'))].join('\n'));
  });
});
