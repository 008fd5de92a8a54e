/** How a picture becomes the input, and the names of the classes: what the layers say, and what Teachable Machine writes beside them. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, Preprocess } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { baseName, type NamedFile } from '../format.ts';
import { parseJson, type Json, type JsonObject } from '../json.ts';
import { decodeText } from '../text.ts';
import { IDLE } from './layers/index.ts';
import type { Call, Topology } from './topology.ts';

/** The file that Teachable Machine writes beside the model. */
export const METADATA = 'metadata.json';

type Facts = Pick<Network, 'preprocess' | 'labels' | 'notes'>;

/** `channels` of the input; nothing is said where nothing states it. */
export function factsOf(topology: Topology, channels: number | undefined, files: readonly NamedFile[]): Facts {
  const file = files.find(({ name }) => baseName(name).toLowerCase() === METADATA);
  const metadata = file ? readMetadata(file) : {};
  const { preprocess, notes } = metadata.preprocess ? metadata : rescaled(topology, channels);
  const all = metadata.notes === notes ? (notes ?? []) : [...(metadata.notes ?? []), ...(notes ?? [])];
  return { ...(preprocess && { preprocess }), ...(metadata.labels && { labels: metadata.labels }), ...(all.length > 0 && { notes: all }) };
}

/**
 * A first layer that brings 0..255 to 0..1 or -1..1 takes pixels as they are. Keras reads pictures in the order red,
 * green, blue and stretches them to the size of the input.
 */
function rescaled({ inputs, calls }: Topology, channels: number | undefined): Facts {
  const order = ({ 1: 'gray', 3: 'RGB' } as const)[channels ?? 0];
  const first = order && inputs.length === 1 ? firstWork(inputs[0]!.key, calls) : undefined;
  if (!order || !first) return {};
  const span = 255 * factorOf(first);
  if (![1, 2].some((wanted) => Math.abs(span / wanted - 1) < 0.01)) return {};
  const preprocess: Preprocess = { channels: order, range: 255, mean: new Array<number>(channels!).fill(0), std: new Array<number>(channels!).fill(1), fit: 'stretch' };
  return { preprocess, notes: [`the preprocessing follows from the layer ${quote(first.name)}, which takes pixels of 0..255, and from how Keras reads pictures: ${order}, stretched`] };
}

/** The first layer behind a tensor that does something at inference, where there is one alone. */
function firstWork(input: string, calls: readonly Call[]): Call | undefined {
  let key = input;
  for (let passed = 0; passed <= IDLE.length; passed++) {
    const [first, ...more] = calls.filter(({ inputs }) => inputs.includes(key));
    if (!first || more.length > 0) return undefined;
    if (!IDLE.includes(first.layer.type)) return first;
    key = first.output;
  }
  return undefined;
}

/** What a layer multiplies pixels by; 0 where it is none that does. */
function factorOf({ layer: { type, config }, constants }: Call): number {
  const scale = type === 'Rescaling' ? config.raw('scale') : 0;
  if (typeof scale === 'number' && scale !== 0) return scale;
  const [constant] = constants;
  if (!constant || constant.value.data.length !== 1 || constant.at !== 1) return 0;
  const name = type === 'TFOpLambda' ? String(config.raw('function')) : type;
  if (/multiply$/i.test(name)) return constant.value.data[0]!;
  return /(true)?div(ide)?$/i.test(name) ? 1 / constant.value.data[0]! : 0;
}

/** Labels, and for models of pictures the way that Teachable Machine takes them: pixel / 127 - 1 of the centre. */
function readMetadata(file: NamedFile): Facts {
  let content: Json;
  try {
    content = parseJson(decodeText(file.bytes, file.name), file.name);
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    return { notes: [`${quote(file.name)} cannot be read: ${error.message}`] };
  }
  if (!(content instanceof Map)) return {};
  const facts = content as JsonObject;
  const labels = facts.get('labels');
  const ofPictures = facts.get('packageName') === '@teachablemachine/image';
  const gray = facts.get('grayscale') === true;
  const centre = new Array<number>(gray ? 1 : 3).fill(127);
  return {
    ...(isTexts(labels) && { labels }),
    ...(ofPictures && {
      preprocess: { channels: gray ? 'gray' : 'RGB', range: 255, mean: centre, std: centre, fit: 'crop' },
      notes: [`the preprocessing is that of Teachable Machine, which ${quote(file.name)} is from`],
    }),
  };
}

const isTexts = (value: Json | undefined): value is readonly string[] => Array.isArray(value) && value.every((text) => typeof text === 'string');
