/**
 * What a training leaves in its folder. `state.safetensors` alone is what it goes on from: weights, moments, step and the sums
 * of the log's next line. Every file is written beside its place and moved there, so that a crash leaves the one before.
 */
import { join } from 'node:path';
import { UnitscopeError } from '../../../errors.ts';
import { writeManifest } from '../../../formats/manifest/network.ts';
import { openSafetensors, writeSafetensors, type Precision } from '../../../formats/safetensors.ts';
import { withoutDropout, type Network, type Tensor, type TrainerState, type TrainingConfig } from '../../../index.ts';
import { kindOf, makeFolder, readBytes, writeWhole } from '../files.ts';

const STATE = 'state.safetensors';
const DESCRIPTION = 'training.json';
const WEIGHTS = 'weights.safetensors';

/** Of the steps since the last line of the log. */
export interface Sums {
  readonly loss: number;
  readonly right: number;
  readonly images: number;
  readonly steps: number;
}

export interface Checkpoint {
  /** Steps that were done. */
  readonly step: number;
  readonly sums: Sums;
  readonly state: TrainerState;
}

/** What a training is, in one text; the order of keys in the file that it was read from does not count. */
const descriptionText = (config: TrainingConfig, mark: string): string => `${JSON.stringify({ ...config, pictures: mark }, null, 2)}\n`;

/**
 * Makes the folder of a new training, or looks into that of one that goes on.
 * @returns where to go on from; undefined for the beginning
 * @throws usage where a training would be lost or mixed with another one
 */
export async function openFolder(out: string, config: TrainingConfig, mark: string, resume: boolean): Promise<Checkpoint | undefined> {
  const kind = await kindOf(out);
  if (kind === 'file' || kind === 'other') throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out });
  const begun = (await kindOf(join(out, DESCRIPTION))) === 'file';
  if (resume && !begun) throw new UnitscopeError('usage', `no training was begun in '${out}'`, { file: out }, 'leave --resume out to begin one');
  if (!resume && begun) throw new UnitscopeError('usage', `a training was begun in '${out}' already`, { file: out }, '--resume goes on with it; another --out begins a new one');
  if (!resume && ((await kindOf(join(out, 'network.json'))) !== 'nothing' || (await kindOf(join(out, WEIGHTS))) !== 'nothing')) {
    throw new UnitscopeError('usage', `'${out}' holds another network`, { file: out }, 'choose another --out');
  }
  if (!begun) {
    await makeFolder(out);
    await writeWhole(join(out, DESCRIPTION), new TextEncoder().encode(descriptionText(config, mark)));
    return undefined;
  }
  checkSame(out, new TextDecoder().decode(await readBytes(join(out, DESCRIPTION))), descriptionText(config, mark));
  return (await kindOf(join(out, STATE))) === 'file' ? readState(join(out, STATE)) : undefined;
}

function checkSame(out: string, begun: string, now: string): void {
  if (begun === now) return;
  const [before, after] = [begun, now].map((text) => {
    try {
      return new Map(Object.entries(JSON.parse(text) as object).map(([key, value]) => [key, JSON.stringify(value)]));
    } catch {
      return new Map<string, string>();
    }
  });
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  throw new UnitscopeError('usage', `the training in '${out}' was begun with another description: ${keys.join(', ')} differ`, { file: join(out, DESCRIPTION) }, 'go on with the description that it was begun with, or begin another one with another --out');
}

async function readState(path: string): Promise<Checkpoint> {
  const { entries, metadata, read } = openSafetensors(await readBytes(path), path);
  const numbers = ['step', 'loss', 'right', 'images', 'steps'].map((key) => Number(metadata.get(key) ?? NaN));
  const [step, loss, right, images, steps] = numbers;
  if (!numbers.every((value) => value >= 0) || !Number.isInteger(step)) throw new UnitscopeError('usage', `'${path}' is no state of a training`, { file: path });
  return { step, sums: { loss, right, images, steps }, state: new Map([...entries.keys()].map((name): [string, Tensor] => [name, read(name)])) };
}

export async function writeState(out: string, { step, sums, state }: Checkpoint): Promise<void> {
  const metadata = new Map(Object.entries({ step, ...sums }).map(([key, value]) => [key, String(value)]));
  await writeWhole(join(out, STATE), writeSafetensors(state, 'f32', metadata));
}

/** The network as every command takes it; dropout, which acts in training alone, is left out. */
export async function writeNetwork(out: string, network: Network, precision: Precision): Promise<void> {
  const { json, safetensors } = writeManifest(withoutDropout(network), { precision, weightsFile: WEIGHTS });
  await writeWhole(join(out, WEIGHTS), safetensors);
  await writeWhole(join(out, 'network.json'), new TextEncoder().encode(json));
}
