/** What awaiting the GPU costs the processor, in a process of its own, where no test has set anything. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** The share of the time in which the event loop did something while it waited for a timer, as Dawn makes it turn. */
const program = (prepare: string): string => `
  const { runnerImport } = await import('vite');
  const { module } = await runnerImport(${JSON.stringify(join(ROOT, 'src/node/polling.ts'))}, { configFile: false, logLevel: 'error' });
  ${prepare}
  let waiting = true;
  const turn = () => waiting && setImmediate(turn);
  turn();
  const before = performance.eventLoopUtilization();
  await new Promise((resolve) => setTimeout(resolve, 300));
  waiting = false;
  process.stdout.write(String(performance.eventLoopUtilization(before).utilization));
`;

function utilization(prepare: string): number {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program(prepare)], { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

test('a loop that asks at every turn takes the whole processor, one that asks once a millisecond little of it', () => {
  const [always, seldom] = [utilization(''), utilization('module.askOnceAMillisecond(); module.askOnceAMillisecond();')];
  expect(always).toBeGreaterThan(0.9);
  expect(seldom).toBeLessThan(0.6);
});
