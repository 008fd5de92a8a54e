/** `unitscope inspect`: what a model file holds. */
import { receptiveFields, shapesOf, type Network, type NoReceptiveField, type Node, type ReceptiveField, type Shape } from '../../index.ts';
import type { Command, Report } from './command.ts';
import { table } from './help.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { binary, counted } from './quantity.ts';
import { wayOf } from './way.ts';

export const inspect: Command = {
  name: 'inspect',
  summary: 'show what a model holds: inputs, layers, shapes, parameters, receptive fields',
  operands: ['MODEL?'],
  options: MODEL_OPTIONS,
  examples: [
    ['unitscope inspect network.onnx', 'the layers of a model'],
    ['unitscope inspect deploy.prototxt --weights net.caffemodel', 'a network of Caffe; without --weights they lie beside it'],
    ['unitscope inspect resnet18.safetensors', 'the weights of PyTorch alone: their tensors tell which built-in graph is theirs'],
    ['unitscope inspect', 'the embedded network'],
    ['unitscope inspect folder/ --json', 'a manifest with its weights, as data'],
    ['unitscope inspect network.json --weights other/weights.safetensors', 'weights that lie elsewhere'],
  ],
  gpu: false,
  async run(call): Promise<Report> {
    const { network, hash } = await loadModel(call, call.operands[0], 'kept');
    const facts = factsOf(network, hash);
    return { data: facts, text: describe(facts) };
  },
};

function factsOf(network: Network, hash: string) {
  const shapes = shapesOf(network);
  const fields = receptiveFields(network);
  const layers = network.nodes.map((node) => ({
    name: node.name,
    output: node.output,
    op: node.op,
    inputs: node.inputs,
    shape: shapes.get(node.output)!,
    parameters: parametersOf(node),
    attributes: node.attributes,
    ...sightOf(fields.get(node.output)!, network.inputs.length),
  }));
  return {
    name: network.name,
    hash,
    inputs: network.inputs,
    preprocess: network.preprocess ?? null,
    outputs: network.outputs.map((name) => ({ name, shape: shapes.get(name)! })),
    labels: network.labels ?? null,
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    layers,
    notes: network.notes ?? [],
  };
}

/** The field in the first image that the layer sees, or null and why; in each image, where the network takes several inputs. */
function sightOf(fields: ReadonlyMap<string, ReceptiveField | NoReceptiveField>, inputs: number) {
  const [first = { reason: 'it sees no image' }] = fields.values();
  return {
    receptiveField: 'reason' in first ? null : first,
    ...('reason' in first && { receptiveFieldReason: first.reason }),
    ...(inputs > 1 && { receptiveFields: Object.fromEntries(fields) }),
  };
}

function parametersOf({ weights }: Node): number {
  return Object.values(weights).reduce((sum, { data }) => sum + data.length, 0);
}

function describe({ name, inputs, preprocess, outputs, labels, parameters, layers, notes }: ReturnType<typeof factsOf>): string {
  const tensor = (t: { name: string; shape: readonly number[] }) => `${t.name} [${t.shape.join(', ')}]`;
  const head = [
    ['name', name],
    ['inputs', inputs.map(tensor).join(', ')],
    ['preprocessing', preprocess ? wayOf(preprocess) : 'not stated'],
    ['outputs', outputs.map(tensor).join(', ')],
    ['labels', labels ? labelsOf(labels) : 'not stated'],
    ['parameters', `${parameters.toLocaleString('en')} (${binary(4 * parameters)} as float32)`],
  ];
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    layer.shape.join(' x '),
    layer.parameters === 0 ? '' : layer.parameters.toLocaleString('en'),
    layer.receptiveField ? fieldText(layer.receptiveField, inputs) : '-',
    Object.entries(layer.attributes).map(([key, value]) => `${key} ${String(value)}`).join('; '),
  ]);
  return [
    ...table(head),
    '',
    counted(layers.length, 'layer'),
    ...table([['layer', 'op', 'output', 'parameters', 'sees', 'attributes'], ...rows], [3]),
    ...(notes.length > 0 ? ['', 'Notes:', ...notes.map((note) => `  ${note}`)] : []),
  ].join('\n');
}

/** Pixels that a unit sees, from a unit to the next, and the centre of the first; one number where rows and columns agree. */
function fieldText({ size, stride, offset }: ReceptiveField, inputs: readonly { shape: Shape }[]): string {
  if (stride.every((step) => step === 0) && inputs.some(({ shape }) => shape.length === 4 && size.every((pixels, axis) => pixels === shape[2 + axis]))) return 'the whole image';
  const pair = ([y, x]: readonly [number, number]) => (y === x ? rounded(y) : `${rounded(y)}x${rounded(x)}`);
  return `${pair(size)} every ${pair(stride)} from ${pair(offset)}`;
}

const rounded = (value: number): string => String(Number(value.toFixed(3)));

function labelsOf(labels: readonly string[]): string {
  const shown = labels.slice(0, 8).join(', ');
  return `${labels.length}: ${shown}${labels.length > 8 ? ', ...' : ''}`;
}
