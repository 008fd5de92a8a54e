import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findVulkan, isApplied, type Machine } from '../../src/node/vulkan.ts';

let root = '';
let machine: Machine;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'unitscope-machine-'));
  machine = {
    platform: 'linux',
    environment: {},
    driverFolders: [join(root, 'icd.d')],
    libraryFolders: [join(root, 'lib')],
    devices: join(root, 'dev'),
  };
});
afterEach(() => rmSync(root, { recursive: true }));

function place(path: string, content = ''): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

function describeDriver(path: string, library: string): string {
  return place(path, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }));
}

/** An NVIDIA machine: loader, driver, its description, a device. */
function installNvidia(): string {
  place('lib/libvulkan.so.1');
  place('lib/libGLX_nvidia.so.0');
  place('dev/nvidia0');
  return describeDriver('icd.d/nvidia_icd.json', 'libGLX_nvidia.so.0');
}

const verdictOf = (path: string) => findVulkan(machine).looked.find((finding) => finding.path === path)?.verdict;

test('a GPU driver is used; what the loader would not find by itself is named to it', () => {
  const icd = installNvidia();
  const { driver, environment } = findVulkan(machine);
  expect({ driver, environment }).toEqual({ driver: 'system', environment: { VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd } });
});

test('without a GPU the software driver is used, and it is there', () => {
  const choice = findVulkan(machine);
  expect(choice.driver).toBe('swiftshader');
  expect(choice.environment.VK_DRIVER_FILES).toMatch(/vk_swiftshader_icd\.json$/);
  expect(choice.environment.LD_LIBRARY_PATH).toMatch(/loader$/);
  expect(choice.looked).toContainEqual({ path: join(root, 'icd.d'), verdict: 'no driver described there' });
});

test('lavapipe, a driver without its library and a driver without its device are passed over, and it is said why', () => {
  installNvidia();
  rmSync(join(root, 'dev'), { recursive: true });
  place('lib/libvulkan_lvp.so');
  const lavapipe = describeDriver('icd.d/lvp_icd.x86_64.json', 'libvulkan_lvp.so');
  const radeon = describeDriver('icd.d/radeon_icd.json', '/absent/libvulkan_radeon.so');
  const broken = place('icd.d/broken.json', '{');
  expect(findVulkan(machine).driver).toBe('swiftshader');
  expect(verdictOf(lavapipe)).toMatch(/lavapipe/);
  expect(verdictOf(radeon)).toMatch(/not installed/);
  expect(verdictOf(broken)).toMatch(/cannot be read/);
  expect(verdictOf(join(root, 'icd.d/nvidia_icd.json'))).toMatch(/no NVIDIA device/);
});

test('NVIDIA libraries without a description get one, and a loader is lent where there is none', () => {
  place('lib/libGLX_nvidia.so.0');
  place('dev/nvidia3');
  const { driver, environment } = findVulkan(machine);
  expect(driver).toBe('system');
  expect(environment.VK_DRIVER_FILES).toMatch(/nvidia_icd\.json$/);
  expect(environment.LD_LIBRARY_PATH).toMatch(/loader$/);
  rmSync(dirname(environment.VK_DRIVER_FILES), { recursive: true });
});

test('a driver that the user names is used as it is', () => {
  place('lib/libvulkan.so.1');
  place('own/libown.so');
  const icd = describeDriver('own/icd.json', './libown.so');
  machine = { ...machine, environment: { VK_ICD_FILENAMES: icd } };
  expect(findVulkan(machine)).toMatchObject({ driver: 'system', environment: {} });
});

test('UNITSCOPE_DRIVER decides', () => {
  installNvidia();
  const choose = (UNITSCOPE_DRIVER: string) => findVulkan({ ...machine, environment: { UNITSCOPE_DRIVER } }).driver;
  expect(choose('swiftshader')).toBe('swiftshader');
  expect(choose('system')).toBe('system');
  rmSync(join(root, 'icd.d'), { recursive: true });
  rmSync(join(root, 'lib'), { recursive: true });
  expect(choose('system')).toBe('none');
});

test('a process that was started with the choice makes the same choice, and keeps other library folders', () => {
  const first = findVulkan({ ...machine, environment: { LD_LIBRARY_PATH: '/opt/lib' } });
  expect(isApplied(first, { LD_LIBRARY_PATH: '/opt/lib' })).toBe(false);
  const second = findVulkan({ ...machine, environment: first.environment });
  expect(second).toEqual(first);
  expect(second.environment.LD_LIBRARY_PATH).toMatch(/:\/opt\/lib$/);
  expect(isApplied(second, first.environment)).toBe(true);
});

test('macOS and Windows need nothing', () => {
  for (const platform of ['darwin', 'win32']) expect(findVulkan({ ...machine, platform })).toMatchObject({ driver: 'system', environment: {} });
});
