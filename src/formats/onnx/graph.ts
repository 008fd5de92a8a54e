/** ONNX graph to Network: inputs, then every node in order, everything unsupported collected into one error. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, NetworkInput, Shape } from '../../network/network.ts';
import { topologicalOrder } from '../../network/order.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import type { Source } from '../protobuf.ts';
import { unsupported } from '../unsupported.ts';
import { mappings } from './mapping/index.ts';
import { readModel, type OnnxModel, type OnnxNode, type OnnxValueInfo } from './model.ts';
import { isReal, readTensorProto, type OnnxTensor } from './tensor.ts';
import { NodeTranslation, type Scope, type Value } from './translation.ts';

export interface OnnxOptions {
  strict?: boolean | undefined;
  /** Shape of the input where the file leaves sizes open, batch included; by name if there are several inputs. */
  inputShape?: Shape | Readonly<Record<string, Shape>> | undefined;
  /** Graph inputs that are constants: their content by name. */
  constants?: ReadonlyMap<string, OnnxTensor> | undefined;
}

/**
 * Reads an ONNX model. Throws 'model-format', 'model-invalid', or one 'model-unsupported' with every reason.
 */
export function readOnnx(bytes: Uint8Array, file = 'model', options: OnnxOptions = {}): Network {
  const source: Source = { file, bytes };
  const model = readModel(source);
  const reasons = [...model.unreadable.values()];
  const notes: string[] = [];
  const values = new Map<string, Value>();
  const addConstant = (name: string, constant: OnnxTensor): void => {
    values.set(name, { shape: constant.shape, constant, batched: false, guessed: false });
  };
  for (const [name, constant] of model.constants) addConstant(name, constant);
  for (const name of model.unreadable.keys()) values.set(name, { shape: [], batched: false, guessed: true });
  for (const [name, constant] of options.constants ?? []) addConstant(name, constant);

  const inputs: NetworkInput[] = [];
  const runtimeInputs = model.inputs.filter(({ name }) => !values.has(name));
  for (const info of runtimeInputs) {
    if (info.type !== 'FLOAT') {
      if (isReal(info.type)) notes.push(`input ${quote(info.name)} is ${info.type} in the file and float32 here`);
      else reasons.push(`input ${quote(info.name)} holds ${info.type}`);
    }
    const shape = inputShape(info, runtimeInputs.length, file, options);
    inputs.push({ name: info.name, shape });
    values.set(info.name, { shape, batched: true, guessed: !isReal(info.type) });
  }

  const used = new Set([...model.nodes.flatMap((node) => node.inputs), ...model.outputs.map(({ name }) => name)]);
  const scope: Scope = {
    file,
    opset: model.opsets.get('')!,
    values,
    used,
    nodes: [],
    notes,
    readTensor: (tensor) => readTensorProto(tensor, source),
  };
  const names = layerNames(model.nodes);
  const order = topologicalOrder(
    model.nodes.filter((node) => node.outputs.some(Boolean)),
    { name: (node) => names.get(node)!, inputs: (node) => node.inputs, outputs: (node) => node.outputs.filter(Boolean) },
    { file },
  );
  for (const node of order) reasons.push(...translate(node, names.get(node)!, scope));
  for (const { name } of model.outputs) {
    if (values.get(name)?.constant) reasons.push(`the output ${quote(name)} is a constant`);
  }
  if (reasons.length > 0) throw unsupported(reasons, file);
  return finishNetwork(draftOf(model, inputs, scope), { file, strict: options.strict ?? false });
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

/** Adds the layers of one node; returns the reasons why it cannot. */
function translate(node: OnnxNode, name: string, scope: Scope): string[] {
  const t = new NodeTranslation(node, name, scope);
  const missing = node.inputs.find((input) => input !== '' && !scope.values.has(input));
  if (missing !== undefined) {
    const message = `layer ${quote(name)} reads ${quote(missing)}, which nothing makes`;
    const address = { file: scope.file, layer: name, op: node.op };
    throw new UnitscopeError('model-invalid', message, address, didYouMean(missing, [...scope.values.keys()]));
  }
  const made = node.outputs.find((output) => scope.values.has(output));
  if (made !== undefined) throw t.invalid(`makes the tensor ${quote(made)}, which is there already`);
  const mapping = mappings.get(node.op);
  const reasons: string[] = [];
  try {
    if (node.domain !== '') throw t.refuse(`ops of the domain ${quote(node.domain)} are not supported`);
    if (!mapping) throw t.refuse('this op is not supported');
    if (scope.opset < 6) t.attributes.ignore('consumed_inputs'); // a memory hint of the first versions
    mapping(t);
    reasons.push(...t.attributes.unread().map((attribute) => t.refuse(`attribute ${quote(attribute)} is not supported`).message));
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    if (error.code === 'model-unsupported') reasons.push(error.message);
    // Behind an unsupported layer shapes are guesses; what they contradict says nothing about the file.
    else if (!t.guessed) throw error;
  }
  // Whatever was not made gets the shape of the first computed operand, so that the walk can find more reasons.
  const guess = node.inputs.map((input) => scope.values.get(input)).find((value) => value && !value.constant)?.shape ?? [1];
  for (const output of node.outputs) {
    if (output !== '' && !scope.values.has(output)) {
      scope.values.set(output, { shape: guess, batched: true, guessed: true });
    }
  }
  return reasons;
}

/** The node's name where it is there and unique, else the name of its first output. */
function layerNames(nodes: readonly OnnxNode[]): Map<OnnxNode, string> {
  const counts = new Map<string, number>();
  for (const { name } of nodes) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set(nodes.map(({ name }) => name).filter((name) => counts.get(name) === 1));
  const tried = new Map<string, number>(); // per name the last number given, so that many equal names stay quick
  return new Map(
    nodes.map((node) => {
      if (node.name !== '' && counts.get(node.name) === 1) return [node, node.name];
      const wanted = node.outputs[0] || node.name || 'layer';
      let name = wanted;
      for (let count = tried.get(wanted) ?? 2; taken.has(name); count++) {
        name = `${wanted}#${count}`;
        tried.set(wanted, count + 1);
      }
      taken.add(name);
      return [node, name];
    }),
  );
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
