/** The one engine of a test file, on the machine's GPU or SwiftShader; a test without an adapter fails. */
import { afterAll, beforeAll } from 'vitest';
import { Engine } from '../src/gpu/engine.ts';
import { openNodeGpu } from '../src/node/host.ts';

/** Call at the top of a test file; the engine is there once the tests run. */
export function useEngine(): () => Engine {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await Engine.create({ gpu: await openNodeGpu() });
  });
  afterAll(() => engine?.dispose());
  return () => engine!;
}
