/** ONNX graph to Network: inputs, then every node in order, everything unsupported collected into one error. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, NetworkInput, Shape } from '../../network/network.ts';
import { topologicalOrder } from '../../network/order.ts';
import { quote } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import type { NamedFile } from '../format.ts';
import type { Source } from '../protobuf.ts';
import { unsupported } from '../unsupported.ts';
import { ExternalFiles } from './external.ts';
import { readModel, type OnnxModel, type OnnxValueInfo } from './model.ts';
import { layerNames, translate } from './nodes.ts';
import { isReal, readTensorProto, type OnnxTensor } from './tensor.ts';
import { constantValue, GROWTH, type Scope, type Value } from './value.ts';

/** The newest version of the operator set that this loader was written for (ONNX 1.21). */
export const NEWEST_OPSET = 26;

/** Most elements that ConstantOfShape may make together (1 GiB of float32): some files say their weights so. */
const FILLED_LIMIT = 2 ** 28;

/** Most elements that may be computed at load, beside as many as the files have bytes: shape arithmetic needs few, weights some. */
const COMPUTED_LIMIT = 2 ** 22;

export interface OnnxOptions {
  strict?: boolean | undefined;
  /** Shape of the input where the file leaves sizes open, batch included; by name if there are several inputs. */
  inputShape?: Shape | Readonly<Record<string, Shape>> | undefined;
  /** Graph inputs that are constants: their content by name. */
  constants?: ReadonlyMap<string, OnnxTensor> | undefined;
  /** Files that came with the model: those among them that it keeps tensors in are read. */
  files?: readonly NamedFile[] | undefined;
}

/**
 * Reads an ONNX model. Throws 'model-format', 'model-invalid', 'io' (files with weights that are missing, all of
 * them), or one 'model-unsupported' with every reason.
 */
export function readOnnx(bytes: Uint8Array, file = 'model', options: OnnxOptions = {}): Network {
  return finishNetwork(draftOnnx(bytes, file, options).draft, { file, strict: options.strict ?? false });
}

/** The network before its last checks, and what the walk through the graph has found out of every tensor. */
export function draftOnnx(bytes: Uint8Array, file: string, options: OnnxOptions): { draft: Network; values: ReadonlyMap<string, Value> } {
  const source: Source = { file, bytes };
  const files = new ExternalFiles(file, options.files ?? []);
  const model = readModel(source, files);
  const reasons = [...model.unreadable.values()].flatMap(({ reason = [] }) => reason);
  const scope = scopeOf(model, files, options);
  const inputs = addInputs(model, scope, reasons, options);

  const names = layerNames(model.nodes);
  for (const name of names.values()) scope.layerNames.add(name);
  const order = topologicalOrder(
    model.nodes.filter((node) => node.outputs.some(Boolean)),
    { name: (node) => names.get(node)!, inputs: (node) => node.inputs, outputs: (node) => node.outputs.filter(Boolean) },
    { file },
  );
  for (const node of order) reasons.push(...translate(node, names.get(node)!, scope));
  for (const { name } of model.outputs) {
    if (scope.values.get(name)?.constant) reasons.push(`the output ${quote(name)} is a constant`);
  }
  const { lack } = files;
  if (lack !== undefined && reasons.length === 0) throw new UnitscopeError('io', lack, { file }, files.lackHint);
  if (lack !== undefined) reasons.unshift(lack);
  if (reasons.length > 0) throw unsupported(reasons, file);
  return { draft: draftOf(model, inputs, scope), values: scope.values };
}

/** The constants of the graph; nothing that the network is fed yet. */
function scopeOf(model: OnnxModel, files: ExternalFiles, options: OnnxOptions): Scope {
  const { source } = model;
  const values = new Map<string, Value>();
  for (const [name, constant] of model.constants) values.set(name, constantValue(constant));
  for (const [name, { shape }] of model.unreadable) values.set(name, { shape, grown: shape, guessed: true });
  for (const [name, constant] of options.constants ?? []) values.set(name, constantValue(constant));
  const size = (options.files ?? []).reduce((sum, { name, bytes }) => (name === source.file ? sum : sum + bytes.length), source.bytes.length);
  const opset = model.opsets.get('')!;
  const newer = `the operator set ${opset} is newer than ${NEWEST_OPSET}, the newest one known here: its ops are read as those of ${NEWEST_OPSET}`;
  return {
    file: source.file,
    opset,
    values,
    used: new Set([...model.nodes.flatMap((node) => node.inputs), ...model.outputs.map(({ name }) => name)]),
    layerNames: new Set(),
    tensorNames: new Set([...values.keys(), ...model.inputs.map(({ name }) => name), ...model.nodes.flatMap((node) => node.outputs)]),
    nodes: [],
    notes: opset > NEWEST_OPSET ? [newer] : [],
    openBatch: model.inputs.some(({ name, shape }) => !values.has(name) && shape !== undefined && shape.length > 0 && !isSize(shape[0]!)),
    budget: { computed: COMPUTED_LIMIT + size, filled: FILLED_LIMIT },
    readTensor: (tensor) => readTensorProto(tensor, source, files),
  };
}

/** The inputs that the network is fed. */
function addInputs(model: OnnxModel, { values, notes, file }: Scope, reasons: string[], options: OnnxOptions): NetworkInput[] {
  const fed = model.inputs.filter(({ name }) => !values.has(name));
  return fed.map((info) => {
    const { name, type } = info;
    if (type !== 'FLOAT') {
      if (isReal(type)) notes.push(`input ${quote(name)} is ${type} in the file and float32 here`);
      else reasons.push(`input ${quote(name)} holds ${type}`);
    }
    const shape = inputShape(info, fed.length, file, options);
    const grown = shape.length > 0 ? shape.with(0, shape[0]! * GROWTH) : shape;
    values.set(name, { shape, grown, guessed: !isReal(type) });
    return { name, shape };
  });
}

function draftOf(model: OnnxModel, inputs: readonly NetworkInput[], scope: Scope): Network {
  return {
    name: model.name || model.source.file,
    inputs,
    nodes: scope.nodes,
    outputs: [...new Set(model.outputs.map(({ name }) => name))],
    ...(scope.notes.length > 0 && { notes: scope.notes }),
  };
}

/** The stated shape, an open batch taken as 1; other open sizes need the option. */
function inputShape(info: OnnxValueInfo, count: number, file: string, options: OnnxOptions): Shape {
  const given = Array.isArray(options.inputShape)
    ? count === 1
      ? (options.inputShape as Shape)
      : undefined
    : (options.inputShape as Readonly<Record<string, Shape>> | undefined)?.[info.name];
  if (given) {
    if (info.shape && info.shape.length !== given.length) {
      const message = `the given shape [${given}] does not fit the input ${quote(info.name)} [${info.shape}]`;
      throw new UnitscopeError('usage', message, { file });
    }
    return given;
  }
  const shape = info.shape?.map((size, axis) => (axis === 0 && !isSize(size) ? 1 : size));
  if (shape?.every(isSize)) return shape as number[];
  const stated = info.shape ? `[${info.shape.join(', ')}]` : 'without a shape';
  const message = `the size of input ${quote(info.name)} is open: ${stated}`;
  const hint = 'give its size with the option inputShape, e.g. [1, 3, 224, 224]';
  throw new UnitscopeError('model-unsupported', message, { file }, hint);
}

function isSize(size: number | string): boolean {
  return typeof size === 'number' && Number.isSafeInteger(size) && size > 0;
}
