/** The built command line as a person starts it: a process with an exit code. */
import { expect, test } from 'vitest';
import { start } from './program.ts';

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
  const human = await start(['doctor'], { environment: nothing });
  expect(human.exit).toBe(3);
  expect(human.out).toMatch(/What to do: install/);
  const { exit, out } = await start(['doctor', '--json'], { environment: nothing });
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
