/** Twins of trainings: two fail in the way that was meant and their logs say so; the repaired ones learn. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { readTrainingLog } from '../../src/formats/training/log.ts';
import { parseTraining } from '../../src/formats/training/config.ts';
import { draft } from '../../src/methods/draft.ts';
import { SCENE_CLASSES } from '../../src/methods/scenes.ts';
import { findingsOf } from '../../src/node/command/training/findings.ts';

const folder = fileURLToPath(new URL('../../models/twins/', import.meta.url));
const text = (path: string): string => readFileSync(folder + path, 'utf8');
const logOf = (name: string) => readTrainingLog(text(`${name}/log.jsonl`), `${name}/log.jsonl`);
const sentences = (name: string): string[] => findingsOf(logOf(name)).map(({ sentence }) => sentence);

/** Chance is 1 / 16. */
const FAILS = 0.13;
const LEARNS = 0.6;

describe.each(['dead', 'dead-repaired', 'faded', 'faded-repaired'])('%s', (name) => {
  it('has the network of its description, small', async () => {
    const config = parseTraining(text(`${name}.json`), name, { sceneClasses: SCENE_CLASSES });
    const files = ['network.json', 'weights.safetensors'].map((file) => ({ name: file, bytes: new Uint8Array(readFileSync(`${folder}${name}/${file}`)) }));
    const network = await loadNetwork(files);
    expect(network.nodes.map((node) => node.op)).toEqual(draft(config, SCENE_CLASSES).network.nodes.map((node) => node.op));
    expect(statSync(`${folder}${name}/weights.safetensors`).size).toBeLessThan(2e5);
    expect(logOf(name).steps.at(-1)!.step).toBe(config.steps);
  });
});

it('too high a rate kills units, and the log says which and since when', () => {
  expect(logOf('dead').heldOut!.accuracy).toBeLessThan(FAILS);
  expect(sentences('dead').join('\n')).toMatch(/^conv\d: \d+ % of units dead since step \d+/m);
});

it('too small a beginning fades the updates of the first layers', () => {
  expect(logOf('faded').heldOut!.accuracy).toBeLessThan(FAILS);
  expect(sentences('faded').join('\n')).toMatch(/^conv1: .*vanish/m);
});

it.each(['dead-repaired', 'faded-repaired'])('%s learns, and nothing is found', (name) => {
  expect(logOf(name).heldOut!.accuracy).toBeGreaterThan(LEARNS);
  expect(sentences(name)).toEqual([]);
});
