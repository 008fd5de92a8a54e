/** A small network and pictures for it, as files: for commands that go through sets of pictures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { encodePng } from '../../../src/index.ts';
import { noise, plainNetwork } from '../../methods/plain_network.ts';
import type { Network } from '../../../src/index.ts';

/** Writes a network into a folder. @returns the file that commands take */
export function writeModel(folder: string, network: Network = plainNetwork()): string {
  mkdirSync(folder, { recursive: true });
  const { json, safetensors } = writeManifest(network);
  writeFileSync(join(folder, 'network.json'), json);
  writeFileSync(join(folder, 'weights.safetensors'), safetensors);
  return join(folder, 'network.json');
}

/** Writes `count` pictures into each of the classes of a folder. @returns the folder */
export async function writePictures(folder: string, classes: readonly string[], count: number): Promise<string> {
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let n = 0; n < count; n++) writeFileSync(join(folder, name, `${n}.png`), await encodePng(noise(label * count + n)));
  }
  return folder;
}
