import { expect, test } from 'vitest';
import { milliseconds, rate } from '../../../src/node/command/quantity.ts';
import { start } from './program.ts';

test('the built program measures the ceilings of the machine', async () => {
  const { exit, out, err } = await start(['bench', '--ceilings', '--json']);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  const { adapter, ceilings } = JSON.parse(out) as { adapter: string; ceilings: Record<string, number> };
  expect(adapter).not.toBe('');
  expect(Object.keys(ceilings)).toEqual(['flopsPerSecond', 'bytesPerSecond', 'wordBytesPerSecond', 'sustained', 'halfInvocations', 'dispatchMs', 'submitMs']);
  for (const value of Object.values(ceilings)) expect(value).toBeGreaterThan(0);
});

test('speeds and durations as people read them', () => {
  expect([9.14e9, 800, 67e12].map((speed) => rate(speed, 'FLOP/s'))).toEqual(['9.1 GFLOP/s', '800 FLOP/s', '67 TFLOP/s']);
  expect([0.00421, 0.9996, 12.345, 1234.5].map(milliseconds)).toEqual(['4.21 us', '1000 us', '12.3 ms', '1.23 s']);
});
