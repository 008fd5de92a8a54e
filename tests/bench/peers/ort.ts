/** onnxruntime-web: its WebGPU execution provider, and its WebAssembly one on two threads for comparison. */
import type * as Ort from 'onnxruntime-web/webgpu';
import type { Contender, Running, Work } from '../contender.ts';
import { forwardModel, gradientModel } from '../onnx_writer.ts';
import { ORT_FILES } from './ort_files.ts';

type Library = typeof Ort;

const libraries = new Map<string, Promise<Library>>();

function load(file: string, threads: number): Promise<Library> {
  const known = libraries.get(file);
  if (known) return known;
  const made = (import(/* @vite-ignore */ new URL(ORT_FILES + file, location.href).href) as Promise<Library>).then((library) => {
    library.env.wasm.numThreads = threads;
    library.env.logLevel = 'error';
    return library;
  });
  libraries.set(file, made);
  return made;
}

/** The model's one input as data of the first tensor. */
function modelOf({ network, layer, kind, x, dy }: Work) {
  if (kind === 'forward') return { bytes: forwardModel(network, layer), input: network.inputs[0]!.name, output: layer, tensor: x };
  if (kind === 'input gradient') return { bytes: gradientModel(network), input: 'dy', output: 'dx', tensor: dy };
  throw new Error('runs forward only');
}

/** A session on the GPU alone; where it refuses a layer, one with the CPU's help, which is said. */
async function openSession(ort: Library, bytes: Uint8Array): Promise<{ session: Ort.InferenceSession; note?: string }> {
  const options: Ort.InferenceSession.SessionOptions = { executionProviders: ['webgpu'], preferredOutputLocation: 'gpu-buffer' };
  try {
    const alone = { ...options, extra: { session: { disable_cpu_ep_fallback: '1' } } };
    return { session: await ort.InferenceSession.create(bytes, alone) };
  } catch {
    return { session: await ort.InferenceSession.create(bytes, options), note: 'some layers on the CPU' };
  }
}

export const ort: Contender = {
  name: 'ort',
  async prepare(work) {
    const library = await load('ort.webgpu.bundle.min.mjs', 1);
    const { bytes, input, output, tensor } = modelOf(work);
    return async (): Promise<Running> => {
      const { session, note } = await openSession(library, bytes);
      const device = (await library.env.webgpu.device) as GPUDevice;
      const buffer = device.createBuffer({ size: tensor.data.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(buffer, 0, tensor.data as Float32Array<ArrayBuffer>);
      const x = library.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: tensor.shape });
      let y: Ort.Tensor | undefined;
      const run = async (): Promise<void> => {
        y?.dispose();
        y = (await session.run({ [input]: x }))[output]!;
      };
      await run();
      return {
        run,
        done: () => device.queue.onSubmittedWorkDone(),
        result: async () => (await y!.getData()) as Float32Array,
        async dispose() {
          y?.dispose();
          x.dispose();
          buffer.destroy();
          await session.release();
        },
        ...(note && { note }),
      };
    };
  },
};

export const wasm: Contender = {
  name: 'wasm',
  async prepare(work) {
    const library = await load('ort.wasm.bundle.min.mjs', 2);
    const { bytes, input, output, tensor } = modelOf(work);
    return async (): Promise<Running> => {
      const session = await library.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
      const x = new library.Tensor('float32', tensor.data, tensor.shape);
      let y: Ort.Tensor | undefined;
      const run = async (): Promise<void> => {
        y = (await session.run({ [input]: x }))[output]!;
      };
      await run();
      return {
        run,
        done: () => Promise.resolve(),
        result: () => Promise.resolve(y!.data as Float32Array),
        dispose: () => session.release(),
        ...(!crossOriginIsolated && { note: 'one thread: the page is not isolated' }),
      };
    };
  },
};
