/** MNASNet 1.0 (Tan et al. 2018). */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';

/** Channels, kernel, stride, expansion, blocks. */
const STACKS = [[24, 3, 2, 3, 3], [40, 5, 2, 3, 3], [80, 5, 2, 6, 3], [96, 3, 1, 6, 2], [192, 5, 2, 6, 4], [320, 3, 1, 6, 1]] as const;

export function mnasnet(t: Exporter): Exporter {
  const norm = (at: string, index: number, x: Value, maps: number, kernel: number, { stride = 1, groups = 1 } = {}): Value =>
    t.convNorm([`${at}.${index}`, `${at}.${index + 1}`], x, maps, kernel, { stride, groups, padding: (kernel - 1) / 2 });
  let x = relu(t, 'layers.2', norm('layers', 0, t.input, 32, 3, { stride: 2 }));
  x = relu(t, 'layers.5', norm('layers', 3, x, 32, 3, { groups: 32 }));
  x = t.probe(norm('layers', 6, x, 16, 1));
  STACKS.forEach(([maps, kernel, first, expansion, blocks], stack) => {
    for (let block = 0; block < blocks; block++) {
      const at = `layers.${stack + 8}.${block}`;
      const stride = block === 0 ? first : 1;
      const inner = expansion * x.shape[1]!;
      let y = relu(t, `${at}.layers.2`, norm(`${at}.layers`, 0, x, inner, 1));
      y = relu(t, `${at}.layers.5`, norm(`${at}.layers`, 3, y, inner, kernel, { stride, groups: inner }));
      y = norm(`${at}.layers`, 6, y, maps, 1);
      x = block === 0 ? y : t.add(at, y, x);
    }
    t.probe(x);
  });
  x = relu(t, 'layers.16', norm('layers', 14, x, 1280, 1));
  return t.result(t.linear('classifier.1', t.probe(t.mean('', x, [2, 3], false)), 1000));
}
