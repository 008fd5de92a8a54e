/** What comes with the page: a small network, pictures for it, and where a first visit looks. */
import { FREE_STEP, PRESETS, type AscentSettings, type NamedFile } from '../src/index.ts';
import manifestUrl from '../models/embedded/network.json?url';
import weightsUrl from '../models/embedded/weights.safetensors?url';
import { fetchBytes } from './fetch_bytes.ts';

export interface Example {
  readonly name: string;
  readonly url: string;
}

const pictures = import.meta.glob<string>('../models/embedded/examples/*.png', { query: '?url', import: 'default', eager: true });

export const EXAMPLES: readonly Example[] = Object.entries(pictures)
  .map(([path, url]) => ({ name: path.replace(/^.*\/|\.png$/g, ''), url }))
  .sort((a, b) => a.name.localeCompare(b.name));

/** What a first visit sees: a picture, and a unit whose preferred input soon looks like something. */
export const FIRST = { example: 'flower', layer: 'fc8', unit: 8, preset: 3, seed: 0 } as const;

/** The published regularizers with a step that fits this small network. */
export function embeddedPreset(preset: 1 | 2 | 3 | 4): AscentSettings {
  return { ...PRESETS[preset], ...FREE_STEP };
}

/** The files of the embedded network. */
export async function embeddedFiles(): Promise<NamedFile[]> {
  const files = { 'network.json': manifestUrl, 'weights.safetensors': weightsUrl };
  return Promise.all(Object.entries(files).map(async ([name, url]) => ({ name, bytes: await fetchBytes(url) })));
}
