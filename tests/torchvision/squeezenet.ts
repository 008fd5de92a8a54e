/** SqueezeNet 1.0 and 1.1 (Iandola et al. 2016): poolings in ceil mode, no dense layer. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import { flatten } from './view.ts';

/** Index of each module in `features`: channels squeezed and channels of either half behind, or a pooling. */
const FIRES = {
  '1_0': { stem: [96, 7], modules: ['pool', [16, 64], [16, 64], [32, 128], 'pool', [32, 128], [48, 192], [48, 192], [64, 256], 'pool', [64, 256]] },
  '1_1': { stem: [64, 3], modules: ['pool', [16, 64], [16, 64], 'pool', [32, 128], [32, 128], 'pool', [48, 192], [48, 192], [64, 256], [64, 256]] },
} as const;

export function squeezenet(t: Exporter, version: keyof typeof FIRES): Exporter {
  const { stem, modules } = FIRES[version];
  let x = relu(t, 'features.1', t.conv('features.0', t.input, stem[0], stem[1], { stride: 2 }));
  modules.forEach((module, index) => {
    const at = `features.${index + 2}`;
    if (module === 'pool') {
      x = t.probe(t.maxPool(at, x, 3, 2, { ceil: true }));
      return;
    }
    const [squeezed, maps] = module;
    const s = relu(t, `${at}.squeeze_activation`, t.conv(`${at}.squeeze`, x, squeezed, 1));
    const one = relu(t, `${at}.expand1x1_activation`, t.conv(`${at}.expand1x1`, s, maps, 1));
    const three = relu(t, `${at}.expand3x3_activation`, t.conv(`${at}.expand3x3`, s, maps, 3, { padding: 1 }));
    x = t.concat(at, [one, three]);
  });
  x = relu(t, 'classifier.2', t.conv('classifier.1', t.probe(x), 1000, 1));
  return t.result(flatten(t, '', t.adaptiveAveragePool('classifier.3', t.probe(x), 1)));
}
