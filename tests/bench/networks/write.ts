/** Writes a network with formula weights as a manifest and its weights, for what reads files: the command line. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { NETWORKS } from '../network_rows.ts';

/** @param words the title of a network, and the folder that is made for it */
export function main([title, folder]: readonly string[]): number {
  const makers = NETWORKS.flatMap(({ title: name, source }) => ('make' in source ? [[name, source.make] as const] : []));
  const make = makers.find(([name]) => name === title)?.[1];
  if (!make || !folder) {
    console.error(`usage: node tests/bench/networks/write.mjs NETWORK FOLDER\nnetworks: ${makers.map(([name]) => name).join(', ')}`);
    return 2;
  }
  const { json, safetensors } = writeManifest(make());
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'network.json'), json);
  writeFileSync(join(folder, 'weights.safetensors'), safetensors);
  return 0;
}
