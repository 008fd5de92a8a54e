/** The graphs are the real ones: as many parameters as torchvision publishes, counted from shapes. */
import { expect, test } from 'vitest';
import { ARCHITECTURES, type Architecture } from './architectures.ts';
import { Exporter } from './exporter.ts';

test.each(Object.entries(ARCHITECTURES))('%s', (_, { build, parameters, side = 224 }: Architecture) => {
  for (const fold of [false, true]) expect(build(new Exporter({ opset: 17, input: [1, 3, side, side], fold }), {}).parameters).toBe(parameters);
});
