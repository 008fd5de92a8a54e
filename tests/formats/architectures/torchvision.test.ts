/**
 * The built-in graphs against torchvision's as its exporter writes them to ONNX, which were drawn apart from these. From the
 * same weights both give the same network, layer by layer, up to the names and to the ways to write the same.
 */
import { describe, expect, test } from 'vitest';
import { readWeights } from '../../../src/formats/architectures/weights.ts';
import { readOnnx } from '../../../src/formats/onnx/index.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import type { Network, Node, Shape, Tensor } from '../../../src/network/network.ts';
import { attributesOf, opOf } from '../../../src/ops/check.ts';
import { ARCHITECTURES } from '../../torchvision/architectures.ts';
import { Exporter } from '../../torchvision/exporter.ts';

/** Every weight holds one number throughout, which no other weight holds. */
class Numbered extends Exporter {
  readonly tensors = new Map<string, Tensor>();

  override weight(name: string, shape: Shape, fill: Parameters<Exporter['weight']>[2]): string {
    if (!/\.(weight|bias|running_mean|running_var)$/.test(name)) return super.weight(name, shape, fill);
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(this.tensors.size + 1);
    this.tensors.set(name, { shape, data });
    return super.weight(name, shape, () => data);
  }
}

/** Op, attributes and weights of a layer. ONNX rounds to float32; what an average does with padding is no matter without. */
function contentOf(node: Node): string {
  const attributes = Object.entries(attributesOf(node, opOf(node))).filter(([name]) => name !== 'countIncludePad');
  const rounded = attributes.map(([name, value]) => `${name} ${typeof value === 'number' ? Math.fround(value) : String(value)}`);
  const weights = Object.entries(node.weights).map(([role, { shape, data }]) => `${role} #${data[0]} [${shape}]`);
  return [node.op, ...rounded.sort(), ...weights.sort()].join('; ');
}

/** A line for every layer that the result needs: what it computes, and of which lines. */
function formulaOf({ nodes, inputs, outputs }: Network): string[] {
  const makers = new Map(nodes.map((node) => [node.output, node]));
  const lines: string[] = [];
  const numbers = new Map<string, number>([[inputs[0]!.name, 0]]);
  /** Joining what was joined is joining all of it; joining one thing, or leaving it as it is, is nothing. */
  const sources = (tensor: string): string[] => {
    const maker = makers.get(tensor);
    if (maker?.op === 'identity') return sources(maker.inputs[0]!);
    return maker?.op === 'concat' ? maker.inputs.flatMap(sources) : [tensor];
  };
  const visit = (tensor: string): number => {
    const maker = makers.get(tensor);
    if (numbers.has(tensor) || !maker) return numbers.get(tensor)!;
    const operands = maker.inputs.map((input) => sources(input).map(visit).join(' '));
    lines.push(`${contentOf(maker)} of ${(maker.op === 'add' ? operands.sort() : operands).join(', ')}`);
    numbers.set(tensor, lines.length);
    return lines.length;
  };
  visit(outputs[0]!);
  return lines;
}

/** Layers: convolutions, normalizations, activations, poolings, sums, the flattening and the dense layer. */
const CASES = [
  ['resnet18', 20 + 20 + 17 + 2 + 8 + 2],
  ['resnet50', 53 + 53 + 49 + 2 + 16 + 2],
  ['densenet121', 120 + 121 + 121 + 5 + 2],
  ['googlenet', 57 + 57 + 57 + 14 + 2],
  ['mobilenet_v2', 52 + 52 + 35 + 1 + 10 + 2],
  ['squeezenet1_0', 26 + 26 + 4 + 1],
  ['squeezenet1_1', 26 + 26 + 4 + 1],
] as const;

describe('what torchvision exports', () => {
  test.each(CASES)('%s', (name, layers) => {
    const exported = new Numbered({ opset: 12, input: [1, 3, 224, 224] });
    ARCHITECTURES[name].build(exported, {});
    const ours = readWeights({ name: 'weights.safetensors', bytes: writeSafetensors(exported.tensors) });
    const lines = formulaOf(ours);
    expect([ours.name, lines.length]).toEqual([name, layers]);
    expect(lines).toEqual(formulaOf(readOnnx(exported.bytes(), 'exported.onnx')));
    // One stride that is changed is seen.
    const last = ours.nodes.findLast(({ op }) => op === 'conv2d');
    const changed = ours.nodes.map((node) => (node === last ? { ...node, attributes: { ...node.attributes, stride: [1, 2] } } : node));
    expect(formulaOf({ ...ours, nodes: changed })).not.toEqual(lines);
  });
});
