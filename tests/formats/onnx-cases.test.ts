/** Every official operator case of the vocabulary is loaded with the recorded output shape, or refused for a known reason. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { draftOnnx } from '../../src/formats/onnx/graph.ts';
import { REFUSED } from '../ops/onnx_refused.ts';
import { onnxCases } from './onnx-cases.ts';
import { expectShapes } from './onnx-loading.ts';

describe('official ONNX operator cases', () => {
  const cases = onnxCases();

  it('covers the vocabulary', () => {
    expect(cases.length).toBe(231);
    const names = cases.map(({ name }) => name);
    expect(Object.keys(REFUSED).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
    const reason = REFUSED[name];
    if (reason !== undefined) {
      expect(() => entry.load()).toThrow(UnitscopeError);
      expect(() => entry.load()).toThrow(reason);
      return;
    }
    const network = entry.load();
    const shapes = shapesOf(network);
    expect(network.inputs.map((input) => input.name)).toEqual([...entry.inputs.keys()]);
    for (const output of network.outputs) expect(shapes.get(output)).toEqual(entry.outputs.get(output)!.shape);
    const holdsForOthers = !network.notes?.some((note) => note.includes('the batch of the file only'));
    if (holdsForOthers) expectShapes(network, draftOnnx(entry.model, name, { constants: entry.constants }).values);
  });
});
