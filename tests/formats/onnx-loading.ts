/** Loads small built ONNX models for tests. */
import { expect } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { draftOnnx } from '../../src/formats/onnx/graph.ts';
import { readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts';
import { GROWTH, type Value } from '../../src/formats/onnx/value.ts';
import type { Network, Node } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { onnxModel, type ModelInput, type NodeInput } from './onnx-builder.ts';

export const image = { x: [1, 4, 6, 6] };

/** A model whose last node makes the output `y`. */
function model(nodes: NodeInput[], more: Partial<ModelInput> = {}): Uint8Array {
  return onnxModel({ nodes, inputs: image, outputs: ['y'], ...more });
}

export function load(nodes: NodeInput[], more: Partial<ModelInput> = {}, options: OnnxOptions = {}): Network {
  const bytes = model(nodes, more);
  const network = readOnnx(bytes, 'm.onnx', options);
  expectShapes(network, draftOnnx(bytes, 'm.onnx', options).values);
  return network;
}

/** What the loader knows of every tensor is what the ops infer, at the batch of the file and at the larger one. */
export function expectShapes(network: Network, values: ReadonlyMap<string, Value>): void {
  const [stated, ...others] = new Set(network.inputs.map(({ shape }) => shape[0]));
  const inferred = [shapesOf(network), ...(stated !== undefined && others.length === 0 ? [shapesOf(network, stated * GROWTH)] : [])];
  for (const { output } of network.nodes) {
    const { shape, grown } = values.get(output)!;
    expect(inferred.map((shapes) => [output, shapes.get(output)])).toEqual([shape, grown].slice(0, inferred.length).map((known) => [output, known]));
  }
}

export function last(nodes: NodeInput[], more: Partial<ModelInput> = {}): Node {
  return load(nodes, more).nodes.at(-1)!;
}

export function errorOf(nodes: NodeInput[], more: Partial<ModelInput> = {}, options: OnnxOptions = {}): UnitscopeError {
  try {
    readOnnx(model(nodes, more), 'm.onnx', options);
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
