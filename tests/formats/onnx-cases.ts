/** The official ONNX operator cases that use our vocabulary, ready to be loaded and run. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mappings } from '../../src/formats/onnx/mapping/index.ts';
import { readOnnx, readTensorProto, type OnnxTensor } from '../../src/formats/onnx/index.ts';
import type { Network, Tensor } from '../../src/network/network.ts';
import { dataBytes, dataJson, dataPath } from './reference-data.ts';

interface IndexEntry {
  group: string;
  case: string;
  ops: string[];
  opset: number;
  inputs: [name: string, type: string][];
  outputs: [name: string, type: string][];
  float32_only: boolean;
  max_rank: number;
  ort?: string;
}

export interface OnnxCase {
  readonly name: string;
  readonly group: string;
  readonly ops: readonly string[];
  readonly model: Uint8Array;
  /** What the caller feeds, by input name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Operands that the case gives as inputs, but that are constants in every real model (weights, shapes). */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Expected float results by output name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** The case as a network; throws the loader's error where it is refused. */
  load(): Network;
}

const DATA_SET = 'test_data_set_0';

/** Ops whose second and later operands are inputs like the first; all others have constants there. */
const ALL_RUNTIME = new Set(['Add', 'Concat', 'Div', 'Max', 'Mean', 'Min', 'Mul', 'Sub', 'Sum']);

/**
 * Every float32 case of at most 4 axes whose ops all belong to the vocabulary. Cases in which the recorded result
 * depends on a random generator (`ort: MISMATCH`) are left out.
 */
export function onnxCases(): OnnxCase[] {
  const groups = new Set(readdirSync(dataPath('onnx-node-tests'), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : [])));
  return dataJson<IndexEntry[]>('onnx-node-tests/index.json')
    .filter((entry) => groups.has(entry.group) && entry.float32_only && entry.max_rank <= 4 && entry.ort !== 'MISMATCH')
    .filter((entry) => entry.ops.every((op) => mappings.has(op)))
    .map(readCase);
}

function readCase(entry: IndexEntry): OnnxCase {
  const folder = join('onnx-node-tests', entry.group, entry.case);
  const model = dataBytes(join(folder, 'model.onnx'));
  const operand = (kind: 'input' | 'output', index: number): OnnxTensor =>
    readTensorProto(dataBytes(join(folder, DATA_SET, `${kind}_${index}.pb`)));

  const inputs = new Map<string, Tensor>();
  const constants = new Map<string, OnnxTensor>();
  entry.inputs.forEach(([name], index) => {
    const tensor = operand('input', index);
    if (index === 0 || entry.ops.some((op) => ALL_RUNTIME.has(op))) inputs.set(name, real(tensor, name));
    else constants.set(name, tensor);
  });
  const outputs = new Map<string, Tensor>();
  entry.outputs.forEach(([name, type], index) => {
    if (type === 'FLOAT') outputs.set(name, real(operand('output', index), name));
  });
  const file = `${entry.group}/${entry.case}`;
  return { name: entry.case, group: entry.group, ops: entry.ops, model, inputs, constants, outputs, load: () => readOnnx(model, file, { constants }) };
}

function real({ shape, data, type }: OnnxTensor, name: string): Tensor {
  if (!(data instanceof Float32Array)) throw new Error(`${name} holds ${type}`);
  return { shape, data };
}
