/** jax-js on its WebGPU backend, compiled by its `jit`, with the same layers fused as in ours. Input and weights stay on the GPU. */
import { defaultDevice, getWebGPUDevice, init, jit, numpy as np, vjp, type OwnedFunction } from '@jax-js/jax';
import type { Node, Tensor } from '../../../src/index.ts';
import { attributesOf, opOf } from '../../../src/ops/check.ts';
import { fuse } from '../../../src/scheduler/fuse.ts';
import type { Contender, Running, Work } from '../contender.ts';
import { OWN_KINDS } from '../row.ts';
import { convert } from './jax_layers.ts';

let ready: Promise<void> | undefined;

async function open(): Promise<void> {
  const found = await init('webgpu');
  if (!found.includes('webgpu')) throw new Error('found no WebGPU adapter');
  defaultDevice('webgpu');
}

const put = ({ shape, data }: Tensor): np.Array => np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });

/** Version 0.1.25 computes it right on its CPU backends and wrong on WebGPU. */
function hasWrongGradient(node: Node): boolean {
  if (node.op !== 'conv2d' || node.weights.weight!.shape[1] !== 1) return false;
  const { stride, groups } = attributesOf(node, opOf(node)) as unknown as { stride: number[]; groups: number };
  return groups > 1 && stride.some((step) => step > 1);
}

/** Owns its arguments: every weight is read once. */
type Network = (image: np.Array, weights: np.Array[][]) => np.Array;

/** The network as one function that owns its arguments, and the weights that it takes. */
function translate({ network, layer, shapes }: Work): { forward: Network; weights: readonly (readonly Tensor[])[] } {
  const fused = fuse(network, new Set([layer]));
  const conversions = fused.nodes.map((node) => convert(node, shapes));
  const forward: Network = (image, weights) => {
    const made = new Map([[network.inputs[0]!.name, image]]);
    fused.nodes.forEach((node, i) => {
      const inputs = node.inputs.map((name) => made.get(name)!.ref);
      made.set(node.output, conversions[i]!.layer(inputs, weights[i]!));
    });
    const y = made.get(layer)!.ref;
    for (const value of made.values()) value.dispose();
    return y;
  };
  return { forward, weights: conversions.map((conversion) => conversion.weights) };
}

/** What one run calls, and what is held for it. */
interface Graph {
  compute(): np.Array;
  readonly held: readonly { dispose(): void }[];
}

function graphOf(work: Work): () => Graph {
  const { forward, weights } = translate(work);
  const { kind, x, dy } = work;
  return () => {
    const image = put(x);
    const uploads = weights.map((list) => list.map(put));
    const refs = () => uploads.map((list) => list.map((weight) => weight.ref));
    const held: { dispose(): void }[] = [image, ...uploads.flat()];
    if (kind === 'forward') {
      const compiled = jit(forward);
      return { compute: () => compiled(image.ref, refs()), held: [...held, compiled] };
    }
    const seed = put(dy);
    if (kind === 'input gradient') {
      // The forward pass is done once, here: what is compiled and timed is the backward pass alone.
      const [y, pull] = vjp((input: np.Array) => forward(input, refs()), [image.ref]) as [np.Array, OwnedFunction<(from: np.Array) => [np.Array]>];
      y.dispose();
      const compiled = jit((from: np.Array) => pull(from)[0]);
      return { compute: () => compiled(seed.ref), held: [...held, seed, compiled, pull] };
    }
    const compiled = jit((input: np.Array, from: np.Array, list: np.Array[][]) => {
      const [y, pull] = vjp((variable: np.Array) => forward(variable, list), [input]) as [np.Array, OwnedFunction<(from: np.Array) => [np.Array]>];
      y.dispose();
      const [gradient] = pull(from);
      pull.dispose();
      return gradient;
    });
    return { compute: () => compiled(image.ref, seed.ref, refs()), held: [...held, seed, compiled] };
  };
}

export const jax: Contender = {
  name: 'jax',
  async prepare(work) {
    await (ready ??= open());
    if (OWN_KINDS.includes(work.kind)) throw new Error('has no such method');
    if (work.kind === 'training step') throw new Error('a training step is not built for this peer');
    if (work.kind !== 'forward' && work.network.nodes.some(hasWrongGradient)) {
      throw new Error('the gradient of a depthwise convolution with a stride comes out wrong on its WebGPU backend');
    }
    const upload = graphOf(work);
    return async (): Promise<Running> => {
      const { compute, held } = upload();
      let y: np.Array | undefined;
      const run = async (): Promise<void> => {
        y?.dispose();
        y = compute();
        // Results are made when they are asked for: asking for the buffer submits the work and does not wait for it.
        await y.ref.gpuBuffer();
      };
      await run();
      return {
        run,
        done: () => getWebGPUDevice().queue.onSubmittedWorkDone(),
        result: async () => (await y!.ref.data()) as Float32Array,
        dispose() {
          y?.dispose();
          for (const part of held) part.dispose();
        },
      };
    };
  },
};
