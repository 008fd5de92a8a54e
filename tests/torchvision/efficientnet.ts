/** EfficientNet-B0 (Tan and Le 2019): inverted residuals with squeeze and excitation and SiLU. */
import { activate } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { squeezeExcitation } from './mobilenet.ts';
import { flatten } from './view.ts';

/** Expansion, kernel, stride of the first, channels, blocks. */
const STAGES = [[1, 3, 1, 16, 1], [6, 3, 2, 24, 2], [6, 5, 2, 40, 2], [6, 3, 2, 80, 3], [6, 5, 1, 112, 3], [6, 5, 2, 192, 4], [6, 3, 1, 320, 1]] as const;

export function efficientnetB0(t: Exporter): Exporter {
  const norm = (at: string, x: Value, maps: number, kernel: number, { stride = 1, groups = 1 } = {}): Value =>
    t.convNorm([`${at}.0`, `${at}.1`], x, maps, kernel, { stride, groups, padding: (kernel - 1) / 2 });
  const silu = (at: string, x: Value, maps: number, kernel: number, options = {}): Value => activate(t, 'silu', `${at}.2`, norm(at, x, maps, kernel, options));
  let x = silu('features.0', t.input, 32, 3, { stride: 2 });
  STAGES.forEach(([expansion, kernel, first, maps, blocks], stage) => {
    for (let block = 0; block < blocks; block++) {
      const at = `features.${stage + 1}.${block}`;
      const stride = block === 0 ? first : 1;
      const inner = expansion * x.shape[1]!;
      let part = 0;
      let y = expansion === 1 ? x : silu(`${at}.block.${part++}`, x, inner, 1);
      y = silu(`${at}.block.${part++}`, y, inner, kernel, { stride, groups: inner });
      y = squeezeExcitation(t, `${at}.block.${part++}`, y, { squeezed: x.shape[1]! / 4, activation: 'silu', gate: 'sigmoid' });
      y = norm(`${at}.block.${part}`, y, maps, 1);
      x = stride === 1 && x.shape[1] === maps ? t.add(at, y, x) : y;
    }
    t.probe(x);
  });
  x = t.probe(silu('features.8', x, 1280, 1));
  return t.result(t.linear('classifier.1', t.probe(flatten(t, '', t.adaptiveAveragePool('avgpool', x, 1))), 1000));
}
