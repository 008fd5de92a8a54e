/** Files that an ONNX model names: found below its folder, and nowhere else. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { externalTensor, onnxModel, op, ramp } from '../../formats/onnx-builder.ts';
import { call, useFolder } from './program.ts';

const folder = useFolder();
const weights = new Uint8Array(ramp(12).slice().buffer);

/** A folder with a model whose weights lie at `location`. */
function place(name: string, location: string): string {
  const constants = [externalTensor('w', [3, 4, 1, 1], { location })];
  mkdirSync(folder(`${name}/parts`), { recursive: true });
  writeFileSync(folder(`${name}/net.onnx`), onnxModel({ nodes: [op('Conv', {}, ['x', 'w'])], inputs: { x: [1, 4, 6, 6] }, outputs: ['y'], constants }));
  return folder(`${name}/net.onnx`);
}

describe('the files that a model names', () => {
  test('are found beside it and below, whether the model is given or its folder', async () => {
    for (const [name, location] of [['beside', 'w.bin'], ['below', 'parts/w.bin']] as const) {
      const model = place(name, location);
      writeFileSync(folder(`${name}/${location}`), weights);
      const given = await call('inspect', model, '--json');
      expect(given).toMatchObject({ exit: 0, err: '' });
      const facts = JSON.parse(given.out) as { hash: string; parameters: number };
      expect(facts.parameters).toBe(12);
      expect(JSON.parse((await call('inspect', folder(name), '--json')).out)).toMatchObject({ hash: facts.hash });
      // The weights are part of what the network is made of.
      writeFileSync(folder(`${name}/${location}`), weights.map((byte, index) => (index === 40 ? byte ^ 1 : byte)));
      expect((JSON.parse((await call('inspect', model, '--json')).out) as { hash: string }).hash).not.toBe(facts.hash);
    }
  });

  test('may lie elsewhere where --weights says so', async () => {
    const model = place('apart', 'w.bin');
    mkdirSync(folder('elsewhere'));
    writeFileSync(folder('elsewhere/w.bin'), weights);
    for (const where of ['elsewhere', 'elsewhere/w.bin']) expect(await call('inspect', model, '--weights', folder(where))).toMatchObject({ exit: 0 });
  });

  test('that are not there are named', async () => {
    const { exit, err } = await call('inspect', place('missing', 'parts/w.bin'));
    expect(exit).not.toBe(0);
    expect(err).toContain("the file 'parts/w.bin' with its weights is missing");
  });

  test('are not reached through links, nor outside of the folder', async () => {
    writeFileSync(folder('secret.bin'), weights);
    mkdirSync(folder('vault'));
    writeFileSync(folder('vault/w.bin'), weights);
    const linked = place('linked', 'w.bin');
    symlinkSync(folder('secret.bin'), folder('linked/w.bin'));
    expect((await call('inspect', linked)).err).toContain("the file 'w.bin' with its weights is missing");
    const through = place('through', 'door/w.bin');
    symlinkSync(folder('vault'), folder('through/door'));
    expect((await call('inspect', through)).err).toContain("the file 'door/w.bin' with its weights is missing");
    for (const [name, location] of [['up', '../secret.bin'], ['absolute', folder('secret.bin')]] as const) {
      expect((await call('inspect', place(name, location))).err).toMatch(/which is not in the model's folder/);
    }
  });
});
