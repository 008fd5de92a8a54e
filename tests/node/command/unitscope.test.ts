/** The built command line as a person starts it: a process with an exit code. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../../../dist/node/unitscope.js');

interface Ending {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  /** Milliseconds between the last output and the end of the process. */
  readonly lingered: number;
}

function start(words: string[], environment: Record<string, string> = {}): Promise<Ending> {
  expect(existsSync(program), `${program} is not built`).toBe(true);
  // A process as a shell starts it: without what the test process was given for its own GPU.
  const own = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH', 'UNITSCOPE_DRIVER'];
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const child = spawn(process.execPath, [program, ...words], { env: { ...inherited, ...environment } });
  let out = '';
  let err = '';
  let last = performance.now();
  child.stdout.on('data', (data: Buffer) => ((out += data), (last = performance.now())));
  child.stderr.on('data', (data: Buffer) => ((err += data), (last = performance.now())));
  return new Promise((resolve) => {
    child.on('close', (exit) => resolve({ exit, out, err, lingered: performance.now() - last }));
  });
}

interface DoctorData {
  driver: { driver: string; reason: string };
  adapter: { limits: Record<string, number>; features: string[] } | null;
  fault: { code: string; hint: string } | null;
}

test('doctor starts itself with the driver and finds an adapter', async () => {
  const { exit, out } = await start(['doctor', '--json']);
  const { driver, adapter, fault } = JSON.parse(out) as DoctorData;
  expect({ exit, fault }).toEqual({ exit: 0, fault: null });
  expect(driver.driver).toMatch(/^(system|swiftshader)$/);
  expect(adapter!.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  expect(adapter!.features).toContain('core-features-and-limits');
});

test('without a driver doctor says what to do and ends with 3', async () => {
  const nothing = { UNITSCOPE_DRIVER: 'system', VK_DRIVER_FILES: '/dev/null', VK_ICD_FILENAMES: '/dev/null' };
  const human = await start(['doctor'], nothing);
  expect(human.exit).toBe(3);
  expect(human.out).toMatch(/What to do: install/);
  const { exit, out } = await start(['doctor', '--json'], nothing);
  expect(exit).toBe(3);
  expect(JSON.parse(out)).toMatchObject({ adapter: null, fault: { code: 'no-adapter' } });
});

test('the process ends soon after its last output, every time', async () => {
  for (let time = 0; time < 8; time++) {
    const { exit, lingered } = await start(['doctor']);
    expect(exit).toBe(0);
    expect(lingered).toBeLessThan(2000);
  }
});

test('wrong usage ends with 2, the version is printed', async () => {
  expect((await start(['doctor', '--nonsense'])).exit).toBe(2);
  expect((await start(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
