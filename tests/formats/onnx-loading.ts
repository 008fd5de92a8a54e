/** Loads small built ONNX models for tests. */
import { UnitscopeError } from '../../src/errors.ts';
import { readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts';
import type { Network, Node } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { onnxModel, type ModelInput, type NodeInput } from './onnx-builder.ts';

export const image = { x: [1, 4, 6, 6] };

/** A model whose last node makes the output `y`. */
function model(nodes: NodeInput[], more: Partial<ModelInput> = {}): Uint8Array {
  return onnxModel({ nodes, inputs: image, outputs: ['y'], ...more });
}

export function load(nodes: NodeInput[], more: Partial<ModelInput> = {}, options: OnnxOptions = {}): Network {
  const network = readOnnx(model(nodes, more), 'm.onnx', options);
  shapesOf(network, 3); // every loaded network must be right for the ops, for another batch too
  return network;
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
