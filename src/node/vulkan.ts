/**
 * Chooses the Vulkan driver under WebGPU in Node: the machine's own where it has a GPU, else the
 * software driver SwiftShader. It only looks and tells; the caller applies `environment` before the
 * process starts, for the dynamic linker reads LD_LIBRARY_PATH only then.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { bundledVulkan, type BundledVulkan } from './bundled_chromium.ts';
import { cachedFolder, cacheRoot } from './cache.ts';

export type Driver = 'system' | 'swiftshader' | 'none';

export interface Finding {
  readonly path: string;
  /** Why it is usable, or why not. */
  readonly verdict: string;
}

export interface VulkanChoice {
  readonly driver: Driver;
  /** Why this driver, in one sentence. */
  readonly reason: string;
  readonly looked: readonly Finding[];
  /** Variables that the process must start with; empty when nothing needs to be set. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The parts of a machine that the choice depends on; tests pass their own. */
export interface Machine {
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folders with driver descriptions (*.json). */
  readonly driverFolders: readonly string[];
  readonly libraryFolders: readonly string[];
  readonly devices: string;
}

const MULTIARCH = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

/** Folders where Vulkan loaders look by themselves; drivers in other folders must be named to them. */
const LOADER_LOOKS_IN = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    environment: process.env,
    driverFolders: [...LOADER_LOOKS_IN, '/usr/local/nvidia/share/vulkan/icd.d', '/opt/amdgpu/share/vulkan/icd.d'],
    libraryFolders: [
      `/usr/lib/${MULTIARCH}`, `/lib/${MULTIARCH}`, '/usr/lib64', '/lib64', '/usr/lib', '/lib', '/usr/local/lib',
      '/usr/local/nvidia/lib64', '/usr/lib/wsl/lib',
    ],
    devices: '/dev',
  };
}

export function findVulkan(machine: Machine = thisMachine()): VulkanChoice {
  if (machine.platform !== 'linux') {
    return { driver: 'system', reason: `${machine.platform} brings its own GPU interface`, looked: [], environment: {} };
  }
  const wanted = machine.environment.UNITSCOPE_DRIVER;
  const looked: Finding[] = [];
  if (wanted !== 'swiftshader') {
    const system = systemDriver(machine, looked);
    if (system) return { ...system, looked };
  }
  if (wanted !== 'system') {
    const bundled = softwareDriver(looked);
    if (bundled) {
      looked.push({ path: bundled.icd, verdict: 'usable: software driver of @sparticuz/chromium' });
      const reason = wanted === 'swiftshader' ? 'UNITSCOPE_DRIVER asks for it' : 'no GPU driver on this machine';
      const environment = driverVariables([bundled.icd], bundled.loaderFolder, machine);
      return { driver: 'swiftshader', reason, looked, environment };
    }
  }
  const reason = wanted === 'system' ? 'UNITSCOPE_DRIVER asks for a GPU driver, none was found' : 'neither a GPU driver nor the software driver was found';
  return { driver: 'none', reason, looked, environment: {} };
}

/** True when the process already runs with everything the choice asks for. */
export function isApplied(choice: VulkanChoice, environment: Machine['environment'] = process.env): boolean {
  return Object.entries(choice.environment).every(([name, value]) => environment[name] === value);
}

function systemDriver(machine: Machine, looked: Finding[]): Omit<VulkanChoice, 'looked'> | undefined {
  const named = namedDrivers(machine);
  const files = named.length > 0 ? named : machine.driverFolders.flatMap(descriptions);
  if (files.length === 0) looked.push(...machine.driverFolders.map((path) => ({ path, verdict: 'no driver described there' })));
  const usable: string[] = [];
  for (const path of files) {
    const fault = faultOf(path, machine, named.length > 0);
    looked.push({ path, verdict: fault ?? 'usable' });
    if (fault === undefined) usable.push(path);
  }
  if (usable.length === 0 && named.length === 0) {
    const own = nvidiaWithoutDescription(machine, looked);
    if (own) usable.push(own);
  }
  if (usable.length === 0) return undefined;

  const loader = find('libvulkan.so.1', machine);
  const lent = loader ? undefined : softwareDriver(looked)?.loaderFolder;
  looked.push({ path: loader ?? 'libvulkan.so.1', verdict: loader ? 'usable' : lent ? `absent; the one in ${lent} is used` : 'absent' });
  if (!loader && !lent) return undefined;

  const found = named.length > 0 || usable.every((path) => loader && LOADER_LOOKS_IN.includes(dirname(path)));
  const reason = named.length > 0 ? 'VK_DRIVER_FILES or VK_ICD_FILENAMES names it' : 'this machine has a GPU driver';
  const environment = found && loader ? {} : driverVariables(usable, lent, machine);
  return { driver: 'system', reason, environment };
}

/** The software driver that comes as a package, or undefined with a finding that says why not. */
function softwareDriver(looked: Finding[]): BundledVulkan | undefined {
  try {
    const bundled = bundledVulkan();
    if (!bundled) looked.push({ path: '@sparticuz/chromium', verdict: 'not installed (it exists for Linux x64 only)' });
    return bundled;
  } catch (error) {
    looked.push({ path: '@sparticuz/chromium', verdict: (error as Error).message });
    return undefined;
  }
}

/** Drivers that the user named; what we have set ourselves (in a parent process) does not count. */
function namedDrivers({ environment }: Machine): string[] {
  const list = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES ?? '';
  return list.split(':').filter((path) => path !== '' && !path.startsWith(`${cacheRoot()}/`));
}

function descriptions(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => join(folder, name));
}

/** What speaks against a driver, or undefined. A driver that the user named need not belong to a GPU. */
function faultOf(path: string, machine: Machine, named: boolean): string | undefined {
  let library: unknown;
  try {
    library = (JSON.parse(readFileSync(path, 'utf8')) as { ICD?: { library_path?: unknown } }).ICD?.library_path;
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  if (typeof library !== 'string') return 'names no library';
  const file = library.includes('/') ? (isAbsolute(library) ? library : resolve(dirname(path), library)) : find(library, machine);
  if (!file || !existsSync(file)) return `its library ${library} is not installed`;
  if (named) return undefined;
  if (/lvp|lavapipe/.test(`${path} ${library}`)) return 'lavapipe: lacks features that WebGPU needs';
  const nvidia = /nvidia/i.test(library);
  if (!hasDevice(machine, nvidia)) return `no ${nvidia ? 'NVIDIA' : 'graphics'} device in ${machine.devices}`;
  return undefined;
}

function hasDevice({ devices }: Machine, nvidia: boolean): boolean {
  if (existsSync(join(devices, 'dxg'))) return true; // Windows Subsystem for Linux
  if (nvidia) return existsSync(devices) && readdirSync(devices).some((name) => /^nvidia\d+$/.test(name));
  const folder = join(devices, 'dri');
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('renderD'));
}

/** Containers often get the NVIDIA libraries without the file that describes them: write that file. */
function nvidiaWithoutDescription(machine: Machine, looked: Finding[]): string | undefined {
  const library = find('libGLX_nvidia.so.0', machine);
  if (!library || !hasDevice(machine, true)) return undefined;
  const name = 'nvidia_icd.json';
  const folder = cachedFolder(`nvidia${library.replaceAll('/', '_')}`, [name], (draft) => {
    const description = { file_format_version: '1.0.1', ICD: { library_path: library, api_version: '1.3.0' } };
    writeFileSync(join(draft, name), JSON.stringify(description));
  });
  looked.push({ path: library, verdict: 'usable: NVIDIA driver without a description file, one was written' });
  return join(folder, name);
}

function find(library: string, machine: Machine): string | undefined {
  const folders = [...libraryPath(machine), ...machine.libraryFolders];
  return folders.map((folder) => join(folder, library)).find((path) => existsSync(path));
}

/** LD_LIBRARY_PATH without the folders that we put there ourselves. */
function libraryPath({ environment }: Machine): string[] {
  const folders = (environment.LD_LIBRARY_PATH ?? '').split(':');
  return folders.filter((folder) => folder !== '' && !folder.startsWith(`${cacheRoot()}/`));
}

function driverVariables(icds: readonly string[], loaderFolder: string | undefined, machine: Machine) {
  const files = icds.join(':');
  const variables: Record<string, string> = { VK_DRIVER_FILES: files, VK_ICD_FILENAMES: files };
  if (loaderFolder) variables.LD_LIBRARY_PATH = [loaderFolder, ...libraryPath(machine)].join(':');
  return variables;
}
