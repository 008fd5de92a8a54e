/** Gives an engine what is known of its adapter's kernels; measures an adapter that nothing is known of, once. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { adapterKey, choicesOf, emptyRecord, type KernelRecord, type KernelStore } from '../gpu/kernel_store.ts';
import { calibrateKernels } from './calibrate.ts';

export interface PrepareOptions {
  /** Measures where there is no record, and false where nothing shall. A software adapter's prices are known without. */
  readonly calibrate?: typeof calibrateKernels | false;
  /** Called before it measures. */
  readonly measuring?: () => void;
  /** Told what went wrong; the engine then goes by the cost model alone, or measures again next time. */
  readonly warn?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sets `engine.kernels`, for plans that are made from now on; a kernel that it forces stays forced. A GPU that is lost or
 * fails over its measurement is not measured again: the record is there before, and empty.
 * @throws aborted, device-lost
 */
export async function prepareKernels(
  engine: Engine,
  store: KernelStore,
  { calibrate = calibrateKernels, measuring, warn, signal }: PrepareOptions = {},
): Promise<KernelRecord | undefined> {
  const adapter = adapterKey(engine.adapter);
  const survive = (what: string) => async (error: unknown): Promise<undefined> => {
    if (!(error instanceof UnitscopeError)) throw error;
    if (error.code === 'aborted') await store.clear(adapter);
    if (error.code === 'aborted' || error.code === 'device-lost') throw error;
    warn?.(`note: ${what}: ${error.message}`);
  };
  let record = await store.load(adapter);
  if (!record && calibrate && !engine.adapter.software) {
    measuring?.();
    const kept = await store.save(emptyRecord(adapter)).then(() => true, survive('what is measured of this GPU is not kept'));
    record = await calibrate(engine, { signal }).catch(survive('the kernels of this GPU could not be measured'));
    if (record && kept) await store.save(record);
  }
  const forced = engine.kernels?.forced;
  if (record) engine.kernels = { ...choicesOf(record), ...(forced !== undefined && { forced }) };
  return record;
}
