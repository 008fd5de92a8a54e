/** auto_pad against the definition in the ONNX operator specification, on a grid of sizes. */
import { describe, expect, it } from 'vitest';
import { resolveWindows } from '../../src/formats/onnx/padding.ts';

const request = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };

describe('auto_pad', () => {
  it.each(['SAME_UPPER', 'SAME_LOWER'])('%s keeps ceil(size / stride) windows and the pads that the formula asks for', (autoPad) => {
    for (let size = 5; size <= 17; size++) {
      for (let stride = 1; stride <= 4; stride++) {
        for (const kernel of [1, 2, 3, 5]) {
          for (const dilation of [1, 2]) {
            const windows = resolveWindows({ ...request, input: [size, size], kernel: [kernel, 1], stride: [stride, 1], dilation: [dilation, 1], autoPad })!;
            const [top, left, bottom, right] = windows.padding as [number, number, number, number];
            expect(windows.output).toEqual([Math.ceil(size / stride), size]);
            const extent = (kernel - 1) * dilation + 1;
            expect(top + bottom).toBe(Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0));
            expect(autoPad === 'SAME_UPPER' ? bottom - top : top - bottom).toBe((top + bottom) % 2);
            expect([left, right]).toEqual([0, 0]);
            // The explicit pads give the same number of windows as auto_pad.
            const explicit = resolveWindows({ ...request, input: [size, size], kernel: [kernel, 1], stride: [stride, 1], dilation: [dilation, 1], autoPad: 'NOTSET', pads: windows.padding })!;
            expect(explicit.output).toEqual(windows.output);
          }
        }
      }
    }
  });

  it('leaves out a last window that would begin behind the input', () => {
    const windows = resolveWindows({ ...request, input: [2, 5], kernel: [1, 2], stride: [2, 2], autoPad: 'NOTSET', ceil: true })!;
    expect(windows.output).toEqual([1, 3]);
  });

  it('does not know other words', () => {
    expect(resolveWindows({ ...request, input: [5, 5], kernel: [1, 1], autoPad: 'SAME' })).toBeUndefined();
  });
});
