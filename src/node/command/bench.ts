/** `unitscope bench`: what this machine's GPU can do at most, the measure of every kernel. */
import { UnitscopeError } from '../../errors.ts';
import { measureCeilings, type Ceilings } from '../../index.ts';
import type { Command, Report } from './command.ts';
import { adapterName, withEngine } from './gpu.ts';
import { table } from './help.ts';
import { milliseconds, rate } from './quantity.ts';

export const bench: Command = {
  name: 'bench',
  summary: 'measure what the GPU can do at most: arithmetic, memory, starting work',
  operands: [],
  options: {
    ceilings: { type: 'flag', summary: 'the ceilings that `plan --explain` counts limits in' },
  },
  examples: [
    ['unitscope bench --ceilings', 'multiply-adds and bytes per second, cost of a dispatch and of a submission'],
    ['unitscope bench --ceilings --json', 'the same for programs'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    if (!call.flags.has('ceilings')) throw new UnitscopeError('usage', 'nothing to measure is given', {}, 'give --ceilings');
    const { signal } = call;
    return withEngine(async (engine) => {
      const ceilings = await measureCeilings(engine, { signal });
      const adapter = adapterName(engine);
      const { software } = engine.adapter;
      return { data: { adapter, software, ceilings }, text: [adapter, ...describeCeilings(ceilings)].join('\n') };
    });
  },
};

/** One line for each ceiling. */
export function describeCeilings(ceilings: Ceilings): string[] {
  return table([
    ['multiply-adds', rate(ceilings.flopsPerSecond, 'FLOP/s'), 'f32, on registers, a multiply-add counts 2'],
    ['memory', rate(ceilings.bytesPerSecond, 'B/s'), 'read and written, by 16 bytes at once'],
    ['4-byte accesses', rate(ceilings.wordBytesPerSecond, 'B/s'), 'read and written, from a cache'],
    ['sustained', `${Math.round(100 * ceilings.sustained)} %`, ceilings.sustained < 0.7 ? 'of the multiply-adds over 50 ms: other programs use the device too' : 'of the multiply-adds over 50 ms'],
    ['half speed', ceilings.halfInvocations.toLocaleString('en'), 'invocations at once reach half of the arithmetic'],
    ['dispatch', milliseconds(ceilings.dispatchMs), 'that does nothing, within a submission'],
    ['submission', milliseconds(ceilings.submitMs), 'of nothing, until it is done'],
  ]);
}
