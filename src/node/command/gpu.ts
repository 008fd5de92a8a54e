/** The engine of one command. */
import { Engine } from '../../index.ts';
import { openNodeGpu } from '../host.ts';

/** Runs the work with an engine and lets the GPU go, whatever happens: a device that is alive can hold the process. */
export async function withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ gpu: await openNodeGpu() });
  try {
    return await work(engine);
  } finally {
    engine.dispose();
  }
}

/** What the GPU calls itself. */
export function adapterName({ adapter: { vendor, architecture, description } }: Engine): string {
  return [vendor, architecture, description].filter(Boolean).join(' ');
}
