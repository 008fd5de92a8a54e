import { expect, test } from 'vitest';
import { imageParameterization, initialSpectrum } from '../../src/methods/parameterization.ts';

/** numpy: np.random.RandomState(0).normal(size=14, scale=0.01). */
const NORMAL = [1.76405235, 0.40015721, 0.97873798, 2.2408932, 1.86755799, -0.97727788, 0.95008842, -0.15135721, -0.10321885, 0.4105985, 0.14404357, 1.45427351, 0.76103773, 0.12167502].map((value) => value / 100);

test('pixels start in the order of numpy', () => {
  const pixels = imageParameterization('pixels');
  const shape = pixels.shape(2, 2, 1);
  expect(shape).toEqual([2, 3, 2, 1]);
  pixels.initial(shape, 0).forEach((value, i) => expect(value).toBeCloseTo(NORMAL[i]!, 8));
});

test('of a spectrum all real parts come first, then the imaginary ones', () => {
  const fourier = imageParameterization('fourier');
  const shape = fourier.shape(1, 1, 3);
  expect(shape).toEqual([1, 3, 1, 2, 2]);
  const start = fourier.initial(shape, 0);
  expect(start).toHaveLength(12);
  for (let bin = 0; bin < 6; bin++) {
    expect(start[2 * bin]).toBeCloseTo(NORMAL[bin]!, 8);
    expect(start[2 * bin + 1]).toBeCloseTo(NORMAL[6 + bin]!, 8);
  }
});

test('a batch of spectra goes on with the same stream, and a deviation scales it', () => {
  const start = initialSpectrum([2, 3, 2, 1, 2], 0, 1);
  expect(start[12]).toBeCloseTo(100 * NORMAL[12]!, 6);
  expect(start[14]).toBeCloseTo(100 * NORMAL[13]!, 6);
  expect(initialSpectrum([2, 3, 2, 1, 2], 0, 1)).toEqual(start);
  expect(initialSpectrum([2, 3, 2, 1, 2], 1, 1)).not.toEqual(start);
});
