/** A device that stays busy between samples: what is timed is the work alone. */
import { expect, test, vi } from 'vitest';
import { Stopwatch, type Work } from '../../src/gpu/stopwatch.ts';
import { Occupation, openStopwatch } from '../../src/methods/occupy.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

/** The work, and how often it was encoded each time. */
function counted(work: Work): { work: Work; asked: number[] } {
  const asked: number[] = [];
  return { asked, work: (pass, times) => (asked.push(times), work(pass, times)) };
}

test.each(['timestamp', 'wall'] as const)('by the %s clock, an occupation runs before the first sample and after each, and is not timed', async (clock) => {
  const occupation = await Occupation.create(engine());
  // A software adapter takes a second for all of it: a hundredth will do.
  const small: Work = (pass) => {
    occupation.work(pass, 0);
    pass.dispatchWorkgroups(40);
  };
  const [idle, subject] = [counted(small), counted(small)];
  const stopwatch = await Stopwatch.create(engine(), clock, idle.work);
  const before = idle.asked.length;
  const spent = performance.now();
  const ms = await stopwatch.time(subject.work, { tries: 3, sampleMs: 0 });
  expect(performance.now() - spent).toBeGreaterThan(250); // it warmed up
  expect(idle.asked.length).toBeGreaterThan(before + (clock === 'timestamp' ? 3 : 0));
  expect(subject.asked).toEqual([1, 1, 1]);
  expect(ms).toBeLessThan(200);
  const warmed = performance.now();
  await stopwatch.time(subject.work, { tries: 1, sampleMs: 0 });
  expect(performance.now() - warmed).toBeLessThan(250); // it was busy until now
  stopwatch.dispose();
  occupation.dispose();
});

test('a software adapter needs none; on a GPU it goes with the stopwatch', async () => {
  const before = engine().memory();
  const create = vi.spyOn(Occupation, 'create');
  const { dispose } = await openStopwatch(engine());
  expect(create).toHaveBeenCalledTimes(engine().adapter.software ? 0 : 1);
  dispose();
  expect(engine().memory()).toEqual(before);
  create.mockRestore();
});
