/** What is fed to a network: pictures under its preprocessing, or an exact tensor from a .npy file. */
import { UnitscopeError } from '../../errors.ts';
import {
  checkPreprocess,
  parsePreprocess,
  preprocess,
  PREPROCESS_PRESETS,
  readNpy,
  type Network,
  type Preprocess,
  type Shape,
  type Tensor,
} from '../../index.ts';
import type { Call, Option } from './command.ts';
import { kindOf, readBytes } from './files.ts';
import { EMBEDDED } from './model.ts';
import { isPictureName, readPicture } from './picture.ts';

const PREPROCESS_OPTION: Option = {
  type: 'text',
  value: 'WAY',
  summary: `how pixels become input: ${Object.keys(PREPROCESS_PRESETS).join(', ')}, or field=value;...`,
};

export const PREPROCESS_OPTIONS: Readonly<Record<string, Option>> = { preprocess: PREPROCESS_OPTION };

export const INPUT_OPTIONS: Readonly<Record<string, Option>> = {
  preprocess: PREPROCESS_OPTION,
  input: { type: 'text', value: 'FILE.npy', summary: 'feed this tensor [N, C, H, W] in place of a picture' },
};

/** Splits `[MODEL] [IMAGE...]`: where the first operand is a picture, the embedded network is meant. */
export async function splitOperands({ operands }: Call): Promise<{ model: string; images: readonly string[] }> {
  const [first, ...rest] = operands;
  if (first === undefined) return { model: EMBEDDED, images: [] };
  const picture = isPictureName(first) && (await kindOf(first)) !== 'folder';
  return picture ? { model: EMBEDDED, images: operands } : { model: first, images: rest };
}

/** The shape of the one input of a network. Throws 'usage' where there are several. */
export function inputShape({ name, inputs }: Network): Shape {
  if (inputs.length === 1) return inputs[0].shape;
  const list = inputs.map((input) => `'${input.name}' [${input.shape}]`).join(', ');
  throw new UnitscopeError('usage', `'${name}' has ${inputs.length} inputs: ${list}`, {}, 'the command line feeds networks with one input');
}

/** The preprocessing that --preprocess or the model states, or undefined. Throws 'usage' where it does not fit the network. */
export function statedPreprocess(call: Call, network: Network): Preprocess | undefined {
  const text = call.values.preprocess;
  const stated = text === undefined ? network.preprocess : parsePreprocess(text, network.preprocess);
  const [, channels] = inputShape(network);
  if (stated && inputShape(network).length === 4) checkPreprocess(stated, channels);
  return stated;
}

/** The same, where the command cannot do without. */
export function neededPreprocess(call: Call, network: Network): Preprocess {
  const stated = statedPreprocess(call, network);
  if (stated) return stated;
  const presets = Object.keys(PREPROCESS_PRESETS).join(', ');
  throw new UnitscopeError('usage', `'${network.name}' does not say how a picture becomes its input`, {}, `give --preprocess with one of ${presets}, or channels=RGB;range=1;mean=0,0,0;std=1,1,1`);
}

/** The picture of a file as x [1, C, H, W]. */
export async function pictureTensor(path: string, network: Network, way: Preprocess): Promise<Tensor> {
  return preprocess(await readPicture(path), way, inputShape(network));
}

/** The tensor of --input; a missing batch axis is put in front. */
export async function exactTensor(path: string, network: Network): Promise<Tensor> {
  const wanted = inputShape(network);
  const bytes = await readBytes(path);
  let tensor: Tensor;
  try {
    tensor = readNpy(bytes, path);
  } catch (cause) {
    if (!(cause instanceof UnitscopeError)) throw cause;
    throw new UnitscopeError('image-decode', cause.message, cause.address, cause.hint, { cause });
  }
  const shape = tensor.shape.length === wanted.length - 1 ? [1, ...tensor.shape] : tensor.shape;
  if (shape.length !== wanted.length || shape.slice(1).join() !== wanted.slice(1).join() || tensor.data.length === 0) {
    throw new UnitscopeError('usage', `'${path}' is [${tensor.shape}], the network takes [N, ${wanted.slice(1).join(', ')}]`, { file: path });
  }
  return { shape, data: tensor.data };
}

/** The one input of a command: a picture or --input. */
export async function oneInput(call: Call, network: Network, images: readonly string[]): Promise<Tensor> {
  const exact = call.values.input;
  if (exact !== undefined && images.length > 0) throw new UnitscopeError('usage', 'give a picture or --input, not both');
  if (exact !== undefined) return exactTensor(exact, network);
  if (images.length !== 1) throw new UnitscopeError('usage', images.length === 0 ? 'IMAGE is missing' : `one IMAGE is looked at, ${images.length} are given`, {}, 'or feed a tensor with --input FILE.npy');
  return pictureTensor(images[0], network, neededPreprocess(call, network));
}
