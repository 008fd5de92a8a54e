/**
 * Rewrites a network into one with fewer, equal layers: batch norm folded into the convolution before it, ReLU and
 * clip fused into the layer before them where its op takes an activation. Only where nobody else reads what lies between.
 */
import type { Attributes, Network, Node, Tensor } from '../network/network.ts';
import { batchNormAffine } from '../ops/batch_norm.ts';
import { OPS } from '../ops/index.ts';
import { elements } from '../ops/shape.ts';

/** The channel that element i of a convolution's weights makes: [M, C / groups, KH, KW], of a transposed one [C, M / groups, KH, KW]. */
function outputOf({ op, attributes, weights }: Node): (i: number) => number {
  const { shape } = weights.weight!;
  const perRow = elements(shape.slice(1));
  if (op === 'conv2d') return (i) => Math.floor(i / perRow);
  const perOutput = elements(shape.slice(2));
  const rowsOfGroup = shape[0]! / ((attributes.groups as number | undefined) ?? 1);
  return (i) => Math.floor(Math.floor(i / perRow) / rowsOfGroup) * shape[1]! + (Math.floor(i / perOutput) % shape[1]!);
}

/** Folds y = a conv(x) + b into the weights of the convolution, in double precision. */
function foldBatchNorm(conv: Node, norm: Node): Node {
  const { a, b } = batchNormAffine(norm.weights, (norm.attributes.epsilon as number | undefined) ?? 1e-5);
  const weight = conv.weights.weight!;
  const output = outputOf(conv);
  const folded: Tensor = {
    shape: weight.shape,
    // Made when it is packed, and not held: a second copy of all weights would be.
    get data() {
      return weight.data.map((value, i) => value * a[output(i)]!);
    },
  };
  const bias: Tensor = {
    shape: [a.length],
    data: Float32Array.from(a, (value, m) => value * (conv.weights.bias?.data[m] ?? 0) + b[m]!),
  };
  return { ...conv, name: norm.name, output: norm.output, weights: { weight: folded, bias } };
}

function fuseActivation(layer: Node, activation: Node): Node {
  const attributes: Attributes =
    activation.op === 'relu'
      ? { ...layer.attributes, activation: 'relu' }
      : { ...layer.attributes, activation: 'clip', low: activation.attributes.min ?? -3.4028234663852886e38, high: activation.attributes.max ?? 3.4028234663852886e38 };
  return { ...layer, name: activation.name, output: activation.output, attributes };
}

/** The fusion of a layer with the one after it, where there is one. */
function fusionOf(layer: Node, next: Node): ((layer: Node, next: Node) => Node) | undefined {
  const bare = (layer.attributes.activation ?? 'none') === 'none';
  if ((layer.op === 'conv2d' || layer.op === 'conv_transpose2d') && next.op === 'batch_norm' && bare) return foldBatchNorm;
  const takes = 'activation' in (OPS.get(layer.op)?.attributes ?? {});
  if (takes && (next.op === 'relu' || next.op === 'clip') && bare) return fuseActivation;
  return undefined;
}

/**
 * @param keep names of tensors that must stay visible (targets, watched layers, the network's outputs).
 * A fused layer carries the name and output of the last layer that went into it.
 */
export function fuse(network: Network, keep: ReadonlySet<string>): Network {
  const readers = new Map<string, Node[]>();
  for (const node of network.nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const gone = new Set<Node>();
  const nodes: Node[] = [];
  for (const node of network.nodes) {
    if (gone.has(node)) continue;
    let layer = node;
    for (;;) {
      const next = readers.get(layer.output) ?? [];
      const fusion = next.length === 1 && next[0]!.inputs.length === 1 && !keep.has(layer.output) ? fusionOf(layer, next[0]!) : undefined;
      if (!fusion) break;
      gone.add(next[0]!);
      layer = fusion(layer, next[0]!);
    }
    nodes.push(layer);
  }
  return { ...network, nodes };
}
