/** The state of the page, as plain data. */
import {
  UnitscopeError,
  type AscentSettings, type Classification, type GridLayout, type Image, type LayerInfo, type MapColors, type MapRange, type Network, type Preprocess,
} from '../src/index.ts';
import type { CameraState } from './camera.ts';
import type { ClimbState } from './climb.ts';
import { embeddedPreset, FIRST } from './embedded.ts';
import { NO_SCENES, type ScenesState } from './scenes.ts';

export interface Notice {
  readonly id: number;
  readonly kind: 'error' | 'info';
  readonly title: string;
  readonly text: string;
  /** Stable code of a typed error. */
  readonly code?: string;
  readonly where?: string;
  readonly hint?: string;
  /** Answers to the question that the notice asks. */
  readonly choices?: readonly string[];
}

export interface LoadedNetwork {
  readonly network: Network;
  /** SHA-256 of its files. */
  readonly hash: string;
  readonly embedded: boolean;
}

export interface State {
  readonly phase: 'starting' | 'ready' | 'failed';
  readonly failure?: Omit<Notice, 'id'>;
  readonly notices: readonly Notice[];
  /** What takes time right now, for people; empty when nothing does. */
  readonly busy: string;
  readonly software: boolean;
  readonly adapter: string;
  readonly network?: LoadedNetwork;
  readonly layers: readonly LayerInfo[];
  /** Absent until somebody says how pictures are fed to this network. */
  readonly preprocess?: Preprocess;
  readonly pictureName: string;
  /** Name of the example that is shown, if it is one. */
  readonly example?: string;
  /** The picture as the network sees it. */
  readonly seen?: Image;
  readonly camera: CameraState;
  readonly scenes: ScenesState;
  readonly classes: readonly Classification[];
  readonly layer: string;
  readonly unit: number;
  /** Of the maps of the layer; empty until they are known. */
  readonly ranges: readonly MapRange[];
  readonly colors: MapColors;
  readonly gridLayout: GridLayout;
  readonly preset: 1 | 2 | 3 | 4;
  readonly settings: AscentSettings;
  readonly seed: number;
  readonly climb: ClimbState;
}

export const START: State = {
  phase: 'starting', notices: [], busy: '', software: false, adapter: '', layers: [], pictureName: '',
  camera: { phase: 'off', reason: '' }, scenes: NO_SCENES, classes: [], layer: '', unit: 0, ranges: [],
  colors: { map: 'auto', scale: 'layer', gamma: 1 }, gridLayout: { columns: 1, cell: 0, gap: 0 },
  preset: FIRST.preset, settings: embeddedPreset(FIRST.preset), seed: FIRST.seed, climb: { phase: 'preparing', step: 0, scores: [] },
};

const TITLES: Readonly<Record<string, string>> = {
  'no-webgpu': 'This browser has no WebGPU',
  'no-adapter': 'WebGPU finds no GPU',
  'device-lost': 'The GPU was lost',
  'out-of-memory': 'The GPU is out of memory',
  limit: 'This is more than the GPU allows',
  'model-format': 'This file cannot be read',
  'model-unsupported': 'This network is not supported',
  'model-invalid': 'This network contradicts itself',
  'image-decode': 'This picture cannot be read',
  'no-gradient': 'Nothing to climb',
  usage: 'That does not work',
  io: 'A file is missing',
};

/** An error as a notice: what, where, what to do. */
export function noticeOf(error: unknown): Omit<Notice, 'id'> {
  if (!(error instanceof UnitscopeError)) {
    return { kind: 'error', title: 'Something went wrong', text: error instanceof Error ? error.message : String(error), code: 'unexpected' };
  }
  const { code, message, address, hint } = error;
  const where = Object.entries(address).map(([key, value]) => `${key} ${String(value)}`).join(', ');
  return { kind: 'error', title: TITLES[code] ?? 'Something went wrong', text: message, code, where, hint };
}

/** What a person calls a unit: the class, where the layer is the network's answer. */
export function unitLabel({ network, layers, layer }: State, unit: number): string {
  const labels = network?.network.labels;
  const shape = layers.find(({ name }) => name === layer)?.shape;
  return labels && shape && shape[0] === labels.length && shape[1] * shape[2] === 1 ? labels[unit]! : '';
}
