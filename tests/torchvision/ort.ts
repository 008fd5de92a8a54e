/** What onnxruntime computes on the CPU: the independent implementation that results are compared with. */
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import type { Tensor } from '../../src/network/network.ts';

// Tests run beside each other: a second thread of this one would wait in a loop for a processor.
env.wasm.numThreads = 1;

/** A model that onnxruntime has loaded. */
export class OrtModel {
  private constructor(private readonly session: InferenceSession) {}

  static async create(bytes: Uint8Array): Promise<OrtModel> {
    // No rewriting of the graph: what is computed is what the file says, node by node.
    return new OrtModel(await InferenceSession.create(bytes, { executionProviders: ['wasm'], graphOptimizationLevel: 'disabled' }));
  }

  /** Every output by name. */
  async run(x: Tensor): Promise<Map<string, Tensor>> {
    const input = new OrtTensor('float32', x.data, [...x.shape]);
    const results = await this.session.run({ [this.session.inputNames[0]!]: input });
    return new Map(Object.entries(results).map(([name, { dims, data }]) => [name, { shape: dims, data: data as Float32Array }]));
  }

  dispose(): Promise<void> {
    return this.session.release();
  }
}
