/** Files made by hand to do harm: each says what is wrong with it, or loads, soon and in bounded memory. */
import { describe, expect, test } from 'vitest';
import { caffeCases } from './hostile/caffe.ts';
import { contentCases } from './hostile/content.ts';
import { onnxCases } from './hostile/onnx.ts';
import { safetensorsCases } from './hostile/safetensors.ts';
import { tfjsCases } from './hostile/tfjs.ts';
import { opened, outcomeOf, withinMemory } from './outcome.ts';

describe.each([
  { kind: 'other content', cases: contentCases },
  { kind: 'ONNX', cases: onnxCases },
  { kind: 'manifest and safetensors', cases: safetensorsCases },
  { kind: 'Caffe', cases: caffeCases },
  { kind: 'TensorFlow.js, sidecars, weights alone', cases: tfjsCases },
])('$kind', ({ cases }) => {
  test.each(cases)('$title', async ({ files: make, says }) => {
    const files = make();
    const { code, message, hint } = await withinMemory(files, () => outcomeOf(opened(files)));
    if (says) expect([code, `${message}\n${hint}`]).toEqual([expect.stringMatching(/^(model-|usage|io)/), expect.stringMatching(says)]);
    else expect(message).toBe('');
  });
});
