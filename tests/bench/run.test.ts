import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bench } from './run.ts';
import { formatTable } from './table.ts';

const scratch = mkdtempSync(join(tmpdir(), 'unitscope-bench-'));

afterAll(() => rmSync(scratch, { recursive: true }));

test('a tiny layer is timed beside its peers in the browser, and all agree', async () => {
  const options = { only: '^smoke conv 5x5', peers: ['ort', 'jax', 'wasm'] as const, samples: 2, quick: false, full: false, scaling: false, json: '' };
  const report = await bench(options, join(scratch, 'page'), () => undefined);
  expect(report.rows.map(({ title }) => title)).toEqual(['smoke conv 5x5 s2 g2 6->8 @11x9 forward', 'smoke conv 5x5 s2 g2 6->8 @11x9 input gradient']);
  for (const { timings, flops } of report.rows) {
    expect(timings.map(({ contender, fault }) => ({ contender, fault }))).toEqual(['unitscope', ...options.peers].map((contender) => ({ contender })));
    for (const { error } of timings.slice(1)) expect(error).toBeLessThan(1e-5);
    expect(flops).toBeGreaterThan(0);
    for (const { samples } of timings) {
      expect(samples).toHaveLength(2);
      expect(Math.min(...samples)).toBeGreaterThan(0);
    }
  }
  expect(formatTable(report, options.peers)).toContain(report.browser);
});
