/** The engine of one command, and which kernels it runs. */
import { Engine, KERNEL_NAMES, prepareKernels } from '../../index.ts';
import { openNodeGpu } from '../host.ts';
import { KernelFile } from '../kernel_file.ts';
import type { Call, Option } from './command.ts';
import { choiceOf } from './value.ts';

/** Of every command that runs a network. */
export const KERNEL_OPTIONS: Readonly<Record<string, Option>> = {
  kernel: { type: 'text', value: 'NAME', summary: 'convolve by this kernel where it can: direct, winograd, shared, depthwise, or e.g. "winograd 2x2"' },
  'no-tune': { type: 'flag', summary: 'do not measure the kernels of a GPU that is new here' },
};

/** The kernel that --kernel asks for. Throws 'usage' where there is none of that name. */
export function forcedKernel({ values: { kernel } }: Call): string | undefined {
  return kernel === undefined ? undefined : choiceOf('kernel', kernel, KERNEL_NAMES);
}

/** Runs the work with an engine and lets the GPU go, whatever happens: a device that is alive can hold the process. */
export async function withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ gpu: await openNodeGpu() });
  try {
    return await work(engine);
  } finally {
    engine.dispose();
  }
}

/** The same, with the kernels that were measured on this adapter or that the call asks for. */
export async function withKernels<T>(call: Call, work: (engine: Engine) => Promise<T>): Promise<T> {
  const forced = forcedKernel(call);
  return withEngine(async (engine) => {
    if (forced !== undefined) engine.kernels = { forced };
    await prepareKernels(engine, new KernelFile(call.warn), {
      ...(call.flags.has('no-tune') && { calibrate: false }),
      measuring: () => call.progress.note('measuring the kernels of this GPU, once'),
      warn: call.warn,
      signal: call.signal,
    });
    return work(engine);
  });
}

/** What the GPU calls itself. */
export function adapterName({ adapter: { vendor, architecture, description } }: Engine): string {
  return [vendor, architecture, description].filter(Boolean).join(' ');
}
