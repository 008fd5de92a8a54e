/** Weights alone (a PyTorch state dict as safetensors): their graph is one of the built-in architectures. */
import { UnitscopeError } from '../../errors.ts';
import type { Network } from '../../network/network.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import type { Format, LoadOptions, NamedFile } from '../format.ts';
import { looksLikeSafetensors, openSafetensors, type OpenSafetensors } from '../safetensors.ts';
import type { Architecture } from './architecture.ts';
import { bestFits, differences, exactFits, fitOf, INPUT, misfit, type Fit } from './fit.ts';
import { ARCHITECTURES } from './index.ts';
import { readStored, stateDict, type StateDict } from './state_dict.ts';

export const weightsFormat: Format = {
  name: 'weights of a built-in architecture',
  extensions: ['.safetensors'],
  weightsAlone: true,
  recognise: ({ bytes }) => looksLikeSafetensors(bytes),
  load: async (main, _files, options) => readWeights(main, options),
};

/** Names of the built-in architectures. */
export const architectureNames: readonly string[] = ARCHITECTURES.map(({ name }) => name);

/** The architecture of that name. Throws 'usage' with the nearest names. */
export function architectureCalled(name: string): Architecture {
  const found = ARCHITECTURES.find((candidate) => candidate.name === name);
  if (found) return found;
  const near = didYouMean(name, architectureNames);
  const hint = near.startsWith('did') ? `${near} all: ${architectureNames.join(', ')}` : `built in: ${architectureNames.join(', ')}`;
  throw new UnitscopeError('usage', `there is no built-in architecture ${quote(name)}`, {}, hint);
}

/** Architectures that the weights among files resemble, best first; empty where there are none or the file is damaged. */
export function similarArchitectures(files: readonly NamedFile[]): string[] {
  const weights = files.filter(({ bytes }) => looksLikeSafetensors(bytes));
  if (weights.length !== 1) return [];
  try {
    return bestFits(stateDict(openSafetensors(weights[0]!.bytes, weights[0]!.name))).map(({ architecture }) => architecture.name);
  } catch {
    return [];
  }
}

/**
 * @throws model-format; model-unsupported where the tensors are those of no architecture; model-invalid with every tensor
 * that does not suit the architecture that was asked for; usage; not-finite with `strict`
 */
export function readWeights({ name: file, bytes }: NamedFile, { architecture, inputShape, strict = false }: LoadOptions = {}): Network {
  const asked = architecture === undefined ? undefined : architectureCalled(architecture);
  const opened = openSafetensors(bytes, file);
  const dict = stateDict(opened);
  const chosen = asked ?? recognised(dict, file);
  const { size } = chosen;
  const shape = imageShape(inputShape) ?? [1, 3, size, size];
  const fit = fitOf(chosen, dict, [shape[2], shape[3]]);
  const fault = misfit(fit, file);
  if (fault) throw fault;
  const { training } = fit;
  const { name } = chosen;
  const nodes = fit.blueprint.nodes.map((node) => ({
    ...node,
    output: node.name,
    weights: Object.fromEntries(Object.entries(node.weights).map(([role, { tensor }]) => [role, readStored(opened, fit.tensors.get(tensor)!)])),
  }));
  const draft: Network = {
    name,
    inputs: [{ name: INPUT, shape }],
    outputs: [fit.blueprint.last],
    nodes,
    ...(fit.classes === training.classes && { preprocess: training.preprocess, ...(training.labels && { labels: training.labels }) }),
    notes: [...(asked ? [] : [`the tensors are those of ${name}`]), ...notesOf(fit, dict, opened)],
  };
  return finishNetwork(draft, { file, strict });
}

/** The one architecture whose names and shapes are those of the file: no guess. */
function recognised(dict: StateDict, file: string): Architecture {
  const exact = exactFits(dict);
  if (exact.length === 1) return exact[0]!.architecture;
  const fits = bestFits(dict);
  const near = fits.map((fit) => `${fit.architecture.name} (${differences(fit) || 'fits'})`).join('; ');
  const message = `these are weights without a manifest, and not those of ${exact.length > 1 ? 'one' : 'any'} built-in architecture`;
  const advice = near ? `the nearest: ${near}; the option architecture lists what is different` : `built in: ${architectureNames.join(', ')}`;
  throw new UnitscopeError('model-unsupported', `${message}${near ? '' : '; none is like them'}`, { file }, `${advice}. Else export the network to ONNX, or write a manifest for its weights`);
}

/** [N, 3, H, W] as asked for. Throws 'usage' for another shape. */
function imageShape(given: LoadOptions['inputShape']): [number, number, number, number] | undefined {
  if (given === undefined) return undefined;
  const shape = Array.isArray(given) ? (given as readonly number[]) : (given as Readonly<Record<string, readonly number[]>>)[INPUT];
  if (shape?.length === 4 && shape[1] === 3 && shape.every((size) => Number.isSafeInteger(size) && size > 0)) return [...shape] as [number, number, number, number];
  const shown = shape ? `[${shape}]` : 'another input';
  throw new UnitscopeError('usage', `the input '${INPUT}' of a built-in architecture is [N, 3, H, W], not ${shown}`, {}, 'give the option inputShape, for example [1, 3, 224, 224]');
}

function notesOf({ architecture: { unused }, training, naming, classes, unused: left, tensors, blueprint }: Fit, { prefix }: StateDict, { entries }: OpenSafetensors): string[] {
  const notes: string[] = [];
  if (prefix) notes.push(`'${prefix}' before every tensor's name was taken off`);
  if (naming) notes.push(`the names of the tensors are those of ${naming.of}`);
  if (unused && left.length > 0) notes.push(`${left.length} tensors of ${unused.what} are left out`);
  const used = new Set(blueprint.nodes.flatMap(({ weights }) => Object.values(weights).map(({ tensor }) => tensors.get(tensor)!.key)));
  const integers = [...used].filter((key) => entries.get(key)!.type === 'I8').length;
  if (integers > 0) notes.push(`${integers} tensors hold I8 numbers, taken as they are: a scale that belongs to them is not in the file`);
  if (classes === training.classes) notes.push(`the preprocessing ${training.labels ? 'and the names of the classes are those' : 'is that'} of ${training.of}${training.remark ? `: ${training.remark}` : ''}`);
  else notes.push(`no preprocessing is stated: with ${classes} classes these are not ${training.of}`);
  return notes;
}
