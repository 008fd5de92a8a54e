/** Training in TensorFlow.js: the weights are variables that its momentum optimizer updates; everything stays on the GPU. */
import * as tf from '@tensorflow/tfjs';
import type { Node, Shape } from '../../../src/index.ts';
import type { Work } from '../contender.ts';
import { firstGradient, labelsOf, MOMENTUM, RATE } from '../training.ts';
import { convert, isMap, nhwc, toNhwc } from './tfjs_layers.ts';

export interface Training {
  /** One step; its mean loss. */
  compute(): tf.Tensor;
  /** The gradient of all parameters, by what the first step has changed. */
  firstGradient(): Promise<Float32Array>;
  dispose(): void;
}

/** A variable in the layout of the file: [KH, KW, C, M / groups] -> [M / groups, C, KH, KW], [H W C, M] -> [M, C H W]. */
function inFileLayout(variable: tf.Tensor, { op, attributes, weights }: Node, from: Shape): tf.Tensor {
  if (variable.rank === 1) return variable;
  if (op === 'conv2d') {
    const isDepthwise = Number(attributes.groups ?? 1) > 1 && weights.weight!.shape[1] === 1;
    return tf.transpose(variable, isDepthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]);
  }
  return isMap(from) ? tf.transpose(tf.reshape(variable, [from[2]!, from[3]!, from[1]!, -1]), [3, 2, 0, 1]) : tf.transpose(variable);
}

/** The numbers of a layer's variables, as many tensors as the file has: the groups of a convolution stand apart here. */
async function readLayer(variables: readonly tf.Variable[], node: Node, from: Shape): Promise<Float32Array[]> {
  const { weight, bias } = node.weights;
  const parts = variables.length / (bias ? 2 : 1);
  const read = async (list: readonly tf.Variable[], length: number): Promise<Float32Array> => {
    const whole = new Float32Array(length);
    let at = 0;
    for (const variable of list) {
      const ordered = tf.tidy(() => inFileLayout(variable, node, from).clone());
      const numbers = await ordered.data();
      ordered.dispose();
      whole.set(numbers, at);
      at += numbers.length;
    }
    return whole;
  };
  const filters = await read(variables.slice(0, parts), weight!.data.length);
  return bias ? [filters, await read(variables.slice(parts), bias.data.length)] : [filters];
}

/**
 * Converts the whole network; the returned function uploads it. No ReLU is fused into its layer: the gradient of this library
 * takes both apart again, and the sum of the bias too.
 */
export function training({ network, layer, shapes, x, dy }: Work): () => Training {
  const { nodes } = network;
  const conversions = nodes.map((node) => convert(node, shapes));
  const input = nhwc(x);
  const classes = dy.shape[1]!;
  return () => {
    const variables: tf.Variable[][] = nodes.map(() => []);
    const layers = conversions.map((conversion, i) => {
      const { layer: compute } = conversion.upload((tensor) => {
        const variable = tf.variable(tensor);
        tensor.dispose();
        variables[i]!.push(variable);
        return variable;
      });
      return compute;
    });
    const all = variables.flat();
    const image = tf.tensor(input, toNhwc(x.shape));
    const targets = tf.tidy(() => tf.oneHot(tf.tensor1d(Int32Array.from(labelsOf(dy.shape)), 'int32'), classes).toFloat());
    const optimizer = tf.train.momentum(RATE, MOMENTUM);
    const loss = (): tf.Scalar => {
      const made = new Map<string, tf.Tensor>([[network.inputs[0]!.name, image]]);
      nodes.forEach((node, i) => made.set(node.output, layers[i]!(node.inputs.map((name) => made.get(name)!))));
      return tf.losses.softmaxCrossEntropy(targets, made.get(layer)!);
    };
    return {
      compute: () => optimizer.minimize(loss, true, all)!,
      async firstGradient() {
        const after: Float32Array[] = [];
        for (const [i, node] of nodes.entries()) {
          if (variables[i]!.length > 0) after.push(...(await readLayer(variables[i]!, node, shapes.get(node.inputs[0]!)!)));
        }
        return firstGradient(network, after);
      },
      dispose() {
        optimizer.dispose();
        tf.dispose([image, targets, ...all]);
      },
    };
  };
}
