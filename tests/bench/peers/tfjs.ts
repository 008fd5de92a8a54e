/** TensorFlow.js on its WebGPU backend, with the same layers fused as in ours. Input and weights stay on the GPU. */
import * as tf from '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Shape } from '../../../src/index.ts';
import { fuse } from '../../../src/scheduler/fuse.ts';
import type { Contender, Running, Work } from '../contender.ts';
import { OWN_KINDS } from '../row.ts';
import { convert, convolutionOf, nhwc, poolOf, toNhwc, isMap, type Layer } from './tfjs_layers.ts';
import { training } from './tfjs_training.ts';

let ready: Promise<boolean> | undefined;

/** What one run computes, and the tensors that it holds for it. */
interface Graph {
  compute(): tf.Tensor;
  readonly held: readonly tf.Tensor[];
  /** Of training, whose tensor is the loss of the step. */
  readonly firstGradient?: () => Promise<Float32Array>;
  readonly dispose?: () => void;
}

function trainingGraph(work: Work): () => Graph {
  const upload = training(work);
  return () => ({ ...upload(), held: [] });
}

/** Converts the whole network; the returned function uploads it. */
function wholeNetwork({ network, layer, shapes, kind, x, dy }: Work): () => Graph {
  const fused = fuse(network, new Set([layer]));
  const conversions = fused.nodes.map((node) => convert(node, shapes));
  const [input, seed] = [nhwc(x), nhwc(dy)];
  return () => {
    const uploads = conversions.map((conversion) => conversion.upload());
    const forward = (image: tf.Tensor): tf.Tensor => {
      const made = new Map([[network.inputs[0]!.name, image]]);
      fused.nodes.forEach((node, i) => made.set(node.output, (uploads[i]!.layer as Layer)(node.inputs.map((name) => made.get(name)!))));
      return made.get(layer)!;
    };
    const image = tf.tensor(input, toNhwc(x.shape));
    const from = tf.tensor(seed, toNhwc(dy.shape));
    const compute = kind === 'forward' ? () => forward(image) : () => tf.grad(forward)(image, from);
    return { compute, held: [image, from, ...uploads.flatMap(({ weights }) => weights)] };
  };
}

/** The registered gradient of one kernel: the backward pass without the forward one. */
function kernelGradient(kernel: string, dy: tf.Tensor, saved: readonly tf.Tensor[], attributes: Record<string, unknown>): tf.Tensor {
  const gradients = tf.getGradient(kernel).gradFunc(dy, [...saved], attributes as never) as unknown as Record<string, () => tf.Tensor>;
  return (gradients.x ?? gradients.a)!();
}

/** The gradient of a network of one layer. */
function layerGradient({ network, shapes, x, dy }: Work): () => Graph {
  const [node] = network.nodes;
  const { op, output, weights } = node!;
  const [input, seed] = [nhwc(x), nhwc(dy)];
  const open = () => [tf.tensor(input, toNhwc(x.shape)), tf.tensor(seed, toNhwc(dy.shape))] as const;
  if (op === 'conv2d') {
    const { filters, depthwise, stride, dilation, pad } = convolutionOf(node!);
    const attributes = { strides: stride, dilations: dilation, pad, dataFormat: 'NHWC' };
    const kernel = depthwise ? tf.DepthwiseConv2dNative : tf.Conv2D;
    return () => {
      const [image, from] = open();
      const w = filters.map(({ shape, data }) => tf.tensor(data, [...shape]));
      const images = w.length === 1 ? [image] : tf.split(image, w.length, 3);
      const part = (piece: tf.Tensor, i: number) => kernelGradient(kernel, piece, [images[i]!, w[i]!], attributes);
      const compute = () => (w.length === 1 ? part(from, 0) : tf.concat(tf.split(from, w.length, 3).map(part), 3));
      return { compute, held: [image, from, ...w, ...(w.length === 1 ? [] : images)] };
    };
  }
  const forward = convert(node!, shapes).upload;
  return () => {
    const [image, from] = open();
    const { layer, weights: uploaded } = forward();
    const y = tf.tidy(() => layer([image]));
    const held = [image, from, y, ...uploaded];
    if (op === 'dense') return { compute: () => kernelGradient(tf.BatchMatMul, from, [image, uploaded[0]!], { transposeA: false, transposeB: false }), held };
    if (op === 'max_pool') {
      const { kernel, stride, pad } = poolOf(node!, shapes.get(node!.inputs[0]!)!, shapes.get(output)!);
      return { compute: () => kernelGradient(tf.MaxPool, from, [image, y], { filterSize: kernel, strides: stride, pad }), held };
    }
    if (op === 'lrn' && Object.keys(weights).length === 0) {
      const a = node!.attributes as Record<string, number>;
      const attributes = { depthRadius: (a.size! - 1) / 2, bias: a.k, alpha: a.alpha! / a.size!, beta: a.beta };
      return { compute: () => kernelGradient(tf.LRN, from, [image, y], attributes), held };
    }
    throw new Error(`the gradient of '${op}' is not built for this peer`);
  };
}

async function readBack(y: tf.Tensor, shape: Shape): Promise<Float32Array> {
  const ordered = isMap(shape) ? tf.transpose(y, [0, 3, 1, 2]) : y;
  return (await ordered.data()) as Float32Array;
}

async function checkLoss(y: tf.Tensor): Promise<void> {
  const [loss] = await y.data();
  if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss} after the last step`);
}

export const tfjs: Contender = {
  name: 'tfjs',
  async prepare(work) {
    ready ??= tf.setBackend('webgpu').then(() => tf.ready()).then(() => true);
    await ready;
    if (OWN_KINDS.includes(work.kind)) throw new Error('has no such method');
    const upload = work.kind === 'training step' ? trainingGraph(work) : work.kind === 'input gradient' ? layerGradient(work) : wholeNetwork(work);
    return async (): Promise<Running> => {
      const backend = tf.backend();
      if (!(backend instanceof WebGPUBackend)) throw new Error(`runs on the backend '${tf.getBackend()}'`);
      const { compute, held, firstGradient, dispose } = upload();
      let y: tf.Tensor | undefined;
      const run = (): void => {
        y?.dispose();
        y = tf.tidy(compute);
      };
      run();
      return {
        run,
        done: () => {
          // What it has recorded and not submitted yet.
          backend.ensureCommandEncoderReady();
          backend.endComputePassEncoder();
          backend.submitQueue();
          return backend.device.queue.onSubmittedWorkDone();
        },
        result: firstGradient ?? (() => readBack(y!, work.kind === 'forward' ? work.dy.shape : work.x.shape)),
        ...(firstGradient && { check: () => checkLoss(y!) }),
        dispose() {
          y?.dispose();
          tf.dispose([...held]);
          dispose?.();
        },
      };
    };
  },
};
