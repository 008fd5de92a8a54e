/** The page's engine, with what is known of its GPU; a GPU that is new here is measured once, in less than a second. */
import { Engine, prepareKernels } from '../src/index.ts';
import { BrowserKernelStore } from './kernel_store.ts';

/**
 * @param busy told what takes time, and an empty text when it is done
 * @throws no-webgpu, no-adapter
 */
export async function openEngine(busy: (what: string) => void): Promise<Engine> {
  const gpu = navigator.gpu as GPU | undefined;
  const engine = await Engine.create({ gpu });
  try {
    await prepareKernels(engine, new BrowserKernelStore(), { measuring: () => busy('Measuring this GPU, once') });
    return engine;
  } catch {
    // A GPU that is lost over its measurement is not measured again.
    engine.dispose();
    return await Engine.create({ gpu });
  } finally {
    busy('');
  }
}
