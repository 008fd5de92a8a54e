/** A model.json and its weights to a Network: every call in an order in which it can run, everything unsupported in one error. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, NetworkInput, Shape } from '../../network/network.ts';
import { quote, quoteList } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import type { LoadOptions, NamedFile } from '../format.ts';
import { parseJson, type Json } from '../json.ts';
import { Section } from '../manifest/section.ts';
import { decodeText } from '../text.ts';
import { unsupported } from '../unsupported.ts';
import { knownModel, type KnownModel } from './known.ts';
import { mappings } from './layers/index.ts';
import { withConstant } from './layers/operation.ts';
import { factsOf } from './preprocess.ts';
import { readTopology, type Call, type Topology } from './topology.ts';
import { LayerTranslation, unknownType, type Scope } from './translation.ts';
import { IMAGE, plainOrder, type Order, type Value } from './value.ts';
import { readWeights, Weights } from './weights.ts';

/** Types of numbers that a layer may compute with; here all are float32. */
const REAL = /^(mixed_)?(b?float16|float32|float64|half)$/;
/** Further types that an input may have. */
const WHOLE = ['int32', 'uint8', 'bool'];

/** @throws model-format, model-invalid, io (files of weights that are missing), or one model-unsupported with every reason */
export function readTfjs(main: NamedFile, files: readonly NamedFile[], { strict, inputShape }: LoadOptions = {}): Network {
  const file = main.name;
  const root = new Section(parseJson(decodeText(main.bytes, file), file), '', file);
  refuseGraph(root, file);
  const weights = root.has('weightsManifest') ? readWeights(root.sections('weightsManifest'), main, files) : new Weights(new Map());
  const { model, made, known } = modelOf(root, weights, file);
  const topology = readTopology(model, file);
  const notes = known ? [known.note] : [];
  const reasons: string[] = [];
  const imageOrder = orderOf(topology);
  const inputs = topology.inputs.map((input) => inputOf(input, { count: topology.inputs.length, imageOrder, file, given: inputShape, notes, reasons }));
  const values = new Map(inputs.map(({ key, value }) => [key, value]));
  const scope: Scope = {
    file,
    weights,
    madeByTfjs: made.startsWith('tfjs'),
    keras: Number(/^(\d+)\./.exec(made)?.[1] ?? 2),
    imageOrder,
    nodes: [],
    names: new Set([...inputs.map(({ value }) => value.name), ...topology.calls.map(({ name }) => name)]),
    arranged: new Map(),
    constants: new Map(),
    missing: [],
  };
  for (const call of topology.calls) reasons.push(...translate(call, values, scope));
  if (reasons.length > 0) throw unsupported(reasons, file);
  if (scope.missing.length > 0) throw missingWeights(scope, file);
  const results = topology.outputs.map((key) => resultOf(key, values, scope));
  const unused = weights.unused();
  if (unused.length > 0) notes.push(`weights of layers that the model does not have: ${quoteList(unused)}`);
  const facts = { ...(known && { preprocess: known.preprocess }), ...factsOf(topology, inputs[0]?.input.shape[1], files) };
  const all = [...notes, ...(facts.notes ?? [])];
  const draft: Network = {
    name: topology.name,
    inputs: inputs.map(({ input }) => input),
    nodes: scope.nodes,
    outputs: [...new Set(results)],
    ...facts,
    ...(all.length > 0 && { notes: all }),
  };
  return finishNetwork(draft, { file, strict: strict ?? false });
}

function refuseGraph(root: Section, file: string): void {
  const format = root.has('format') ? root.text('format') : 'layers-model';
  const topology = root.raw('modelTopology');
  const isGraph = format === 'graph-model' || (topology instanceof Map && topology.has('node'));
  if (isGraph) throw new UnitscopeError('model-unsupported', 'this is a graph model of TensorFlow.js, operations without layers; layers models can be read', { file }, 'convert the Keras model with --output_format=tfjs_layers_model, or export it to ONNX');
}

/** The model itself, and what made it: `keras_version`, which TensorFlow.js writes too. */
function modelOf(root: Section, weights: Weights, file: string): { model: Section; made: string; known?: KnownModel } {
  if ((root.raw('modelTopology') ?? null) === null) {
    const known = knownModel(weights, file);
    if (known) return { model: known.model, made: '', known };
    throw new UnitscopeError('model-unsupported', 'the file lists weights, but no layers (modelTopology is empty)', { file }, 'save the whole model, or export it to ONNX');
  }
  const section = root.section('modelTopology');
  const model = section.has('model_config') ? section.section('model_config') : section;
  const stated = [section, model].find((part) => part.has('keras_version'))?.raw('keras_version');
  return { model, made: typeof stated === 'string' ? stated : '' };
}

/** Layers whose channels lie first make the input N, C, H, W in Keras too. */
function orderOf({ calls }: Topology): Order {
  const formats = new Set(calls.map(({ layer }) => layer.config.raw('data_format')).filter((format) => typeof format === 'string'));
  return formats.size === 1 && formats.has('channels_first') ? plainOrder(4) : IMAGE;
}

interface InputContext {
  readonly count: number;
  readonly imageOrder: Order;
  readonly file: string;
  readonly given: LoadOptions['inputShape'];
  readonly notes: string[];
  readonly reasons: string[];
}

/** An input: pictures as N, C, H, W, an open batch taken as 1; other open sizes need the option. */
function inputOf({ name, key, config }: Topology['inputs'][number], { count, imageOrder, file, given, notes, reasons }: InputContext): { key: string; input: NetworkInput; value: Value } {
  const type = typeName(config.raw('dtype') ?? 'float32');
  if (WHOLE.includes(type)) notes.push(`input ${quote(name)} is ${type} in the file and float32 here`);
  else if (!REAL.test(type)) reasons.push(`input ${quote(name)} holds ${quote(type)}`);
  if (config.flag('sparse', false) || config.flag('ragged', false)) reasons.push(`input ${quote(name)} is sparse or ragged`);
  const stated = shapeOf(config);
  if (!stated) throw new UnitscopeError('model-invalid', `the input ${quote(name)} has no shape`, { file });
  const order = stated.length === 4 ? imageOrder : plainOrder(stated.length);
  const ours = order.map((axis) => (axis === 0 ? (stated[0] ?? 1) : (stated[axis] ?? undefined)));
  const wanted = Array.isArray(given) ? (count === 1 ? (given as Shape) : undefined) : (given as Readonly<Record<string, Shape>> | undefined)?.[name];
  if (wanted && wanted.length !== ours.length) throw new UnitscopeError('usage', `the given shape [${wanted}] does not fit the input ${quote(name)} of ${ours.length} axes`, { file });
  const shape = wanted ?? ours;
  if (!shape.every((size): size is number => size !== undefined)) {
    const message = `the size of input ${quote(name)} is open: [${ours.map((size) => size ?? '?').join(', ')}]`;
    throw new UnitscopeError('model-unsupported', message, { file }, 'give its size with the option inputShape, e.g. [1, 3, 224, 224]');
  }
  const keras = order.map((_, axis) => shape[order.indexOf(axis)]!);
  return { key, input: { name, shape }, value: { name, shape: keras, order, guessed: false } };
}

/** The stated shape, batch first; null where a size is open. */
function shapeOf(config: Topology['inputs'][number]['config']): (number | null)[] | undefined {
  const [key] = ['batch_input_shape', 'batch_shape', 'input_shape'].filter((name) => config.given(name));
  const list: readonly Json[] = key ? config.list(key) : config.given('input_dim') ? [null, config.number('input_dim')] : [];
  const whole = key === 'input_shape' ? [null, ...list] : [...list];
  if (whole.length === 0) return undefined;
  return whole.map((size) => {
    if (size === null || (typeof size === 'number' && Number.isSafeInteger(size) && size > 0)) return size;
    throw config.fault(key ?? 'input_dim', 'must be whole numbers above 0, or null');
  });
}

/** The name of a type, which Keras 3 wraps into an object. */
function typeName(value: Json): string {
  if (!(value instanceof Map)) return String(value);
  const config = (value as ReadonlyMap<string, Json>).get('config');
  return String(config instanceof Map ? (config as ReadonlyMap<string, Json>).get('name') : 'unknown');
}

/** Adds the layers of one call; returns the reasons why it cannot. */
function translate(call: Call, values: Map<string, Value>, scope: Scope): string[] {
  const inputs = call.inputs.map((key) => {
    const value = values.get(key);
    if (value) return value;
    throw new UnitscopeError('model-invalid', `layer ${quote(call.name)} reads what no layer makes`, { file: scope.file, layer: call.name });
  });
  const t = new LayerTranslation(call, inputs, scope);
  const known = scope.missing.length;
  const reasons = call.refused.map((reason) => t.refuse(reason).message);
  try {
    if (inputs.length === 0) throw t.invalid('reads nothing');
    const mapping = call.constants.length > 0 ? withConstant(t) : mappings.get(call.layer.type);
    if (!mapping) throw unknownType(t, [...mappings.keys()]);
    const type = typeName(t.config.raw('dtype') ?? 'float32');
    if (!REAL.test(type)) reasons.push(t.refuse(`numbers of the type ${quote(type)} are not supported`).message);
    const result = t.close(mapping(t));
    values.set(call.output, { ...result, guessed: t.guessed || reasons.length > 0 });
    reasons.push(...t.config.unread().map((key) => t.refuse(`the setting ${quote(key)} is not supported`).message));
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    if (error.code === 'model-unsupported') reasons.push(error.message);
    // Behind an unsupported layer shapes are guesses; what they contradict says nothing about the file.
    else if (!t.guessed && reasons.length === 0 && scope.missing.length === known) throw error;
    // What was not made gets the shape of what was read, so that the walk finds more reasons.
    const [first] = inputs;
    if (!first) throw error;
    values.set(call.output, { ...first, guessed: true });
  }
  return reasons;
}

function missingWeights({ missing, weights }: Scope, file: string): UnitscopeError {
  const names = [...new Set(missing)];
  const message = `${names.length === 1 ? 'a weight is' : `${names.length} weights are`} missing: ${quoteList(names, 50)}`;
  return new UnitscopeError('model-invalid', message, { file, attribute: 'weightsManifest' }, `the manifest has ${quoteList(weights.names()) || 'none'}`);
}

function resultOf(key: string, values: ReadonlyMap<string, Value>, scope: Scope): string {
  const value = values.get(key);
  if (!value) throw new UnitscopeError('model-invalid', 'an output of the model is made by no layer', { file: scope.file });
  const call = { name: value.name, layer: { name: value.name, type: 'output', config: undefined as never, path: [] }, inputs: [], constants: [], refused: [], output: key };
  return new LayerTranslation(call, [value], scope).finish(value).name;
}

