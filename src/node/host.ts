/**
 * WebGPU in Node, by Dawn (package `webgpu`). The process must have started with the variables that
 * `findVulkan` names; the command line sees to that by starting itself once more.
 */
import { UnitscopeError } from '../errors.ts';
import { askOnceAMillisecond } from './polling.ts';
import { findVulkan } from './vulkan.ts';

let gpu: GPU | undefined;

/**
 * The GPU object of this process (one is shared by all callers). Also defines GPUBufferUsage and its
 * siblings as globals, as in a browser. Throws `no-webgpu` where Dawn does not load and `no-adapter`
 * where it finds no driver.
 */
export async function openNodeGpu(): Promise<GPU> {
  if (gpu) return gpu;
  let dawn: typeof import('webgpu');
  try {
    dawn = await import('webgpu');
  } catch (cause) {
    const hint = 'install the package `webgpu`; it exists for Linux, macOS and Windows on x64 and arm64';
    throw new UnitscopeError('no-webgpu', `WebGPU does not load: ${(cause as Error).message}`, {}, hint, { cause });
  }
  Object.assign(globalThis, dawn.globals);
  const opened = dawn.create([]);
  const adapter = await opened.requestAdapter();
  if (adapter === null) {
    const { driver, reason } = findVulkan();
    throw new UnitscopeError('no-adapter', `no GPU adapter (driver: ${driver}, ${reason})`, {}, adapterHint());
  }
  if (/swiftshader|llvmpipe/i.test(`${adapter.info.architecture} ${adapter.info.description}`)) askOnceAMillisecond();
  gpu = opened;
  return gpu;
}

/** Drops the GPU object. Destroy the devices first; a device that is alive at exit can hang the process. */
export function closeNodeGpu(): void {
  gpu = undefined;
}

/** What to do about a missing adapter, on this platform. */
export function adapterHint(platform: string = process.platform): string {
  if (platform !== 'linux') return 'update the graphics driver';
  return (
    'install the Vulkan driver of your GPU, or the software driver with `npm install @sparticuz/chromium` (Linux x64); ' +
    '`unitscope doctor` lists what was looked at'
  );
}
