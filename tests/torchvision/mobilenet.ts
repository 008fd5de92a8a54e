/** MobileNet v2 (Sandler et al. 2018) and v3, large and small (Howard et al. 2019). */
import { activate, multiply, type Activation } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { flatten } from './view.ts';

/** Expansion, channels, blocks, stride of the first. */
const V2 = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const;

export function mobilenetV2(t: Exporter): Exporter {
  const convRelu = (at: string, x: Value, maps: number, kernel: number, { stride = 1, groups = 1 } = {}): Value =>
    activate(t, 'relu6', `${at}.2`, t.convNorm([`${at}.0`, `${at}.1`], x, maps, kernel, { stride, groups, padding: (kernel - 1) / 2 }));
  let x = convRelu('features.0', t.input, 32, 3, { stride: 2 });
  let index = 1;
  for (const [expansion, maps, blocks, first] of V2) {
    for (let block = 0; block < blocks; block++) {
      const at = `features.${index++}.conv`;
      const stride = block === 0 ? first : 1;
      const inner = expansion * x.shape[1]!;
      let part = 0;
      let y = expansion === 1 ? x : convRelu(`${at}.${part++}`, x, inner, 1);
      y = convRelu(`${at}.${part++}`, y, inner, 3, { stride, groups: inner });
      y = t.convNorm([`${at}.${part}`, `${at}.${part + 1}`], y, maps, 1);
      x = stride === 1 && x.shape[1] === maps ? t.add(`features.${index - 1}`, x, y) : y;
    }
    t.probe(x);
  }
  x = t.probe(convRelu('features.18', x, 1280, 1));
  // The first torchvision took the mean over both axes, later ones pool.
  const pooled = t.opset < 11 ? t.mean('', x, [2, 3], false) : flatten(t, '', t.adaptiveAveragePool('', x, 1));
  return t.result(t.linear('classifier.1', t.probe(pooled), 1000));
}

/** Kernel, expanded channels, channels, squeeze and excitation, activation, stride. */
type Row = readonly [number, number, number, boolean, 'relu' | 'hardswish', number];
const [RE, HS] = ['relu', 'hardswish'] as const;
const V3: Readonly<Record<'large' | 'small', { rows: readonly Row[]; last: number }>> = {
  large: {
    rows: [
      [3, 16, 16, false, RE, 1], [3, 64, 24, false, RE, 2], [3, 72, 24, false, RE, 1],
      [5, 72, 40, true, RE, 2], [5, 120, 40, true, RE, 1], [5, 120, 40, true, RE, 1],
      [3, 240, 80, false, HS, 2], [3, 200, 80, false, HS, 1], [3, 184, 80, false, HS, 1], [3, 184, 80, false, HS, 1],
      [3, 480, 112, true, HS, 1], [3, 672, 112, true, HS, 1],
      [5, 672, 160, true, HS, 2], [5, 960, 160, true, HS, 1], [5, 960, 160, true, HS, 1],
    ],
    last: 1280,
  },
  small: {
    rows: [
      [3, 16, 16, true, RE, 2], [3, 72, 24, false, RE, 2], [3, 88, 24, false, RE, 1],
      [5, 96, 40, true, HS, 2], [5, 240, 40, true, HS, 1], [5, 240, 40, true, HS, 1],
      [5, 120, 48, true, HS, 1], [5, 144, 48, true, HS, 1],
      [5, 288, 96, true, HS, 2], [5, 576, 96, true, HS, 1], [5, 576, 96, true, HS, 1],
    ],
    last: 1024,
  },
};

/** Channels by 8, at least 90 % of what was asked for. */
export function byEight(channels: number): number {
  const rounded = Math.max(8, Math.floor(channels / 8 + 0.5) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

export interface Excitation {
  readonly squeezed: number;
  readonly activation: Activation;
  readonly gate: Activation;
}

/** Squeeze and excitation (Hu et al. 2017): every channel times a gate that sees all channels' means. */
export function squeezeExcitation(t: Exporter, at: string, x: Value, { squeezed, activation, gate }: Excitation): Value {
  const narrow = activate(t, activation, `${at}.activation`, t.conv(`${at}.fc1`, t.adaptiveAveragePool(`${at}.avgpool`, x, 1), squeezed, 1));
  const scale = activate(t, gate, `${at}.scale_activation`, t.conv(`${at}.fc2`, narrow, x.shape[1]!, 1));
  return multiply(t, at, scale, x);
}

export function mobilenetV3(t: Exporter, size: keyof typeof V3): Exporter {
  const { rows, last } = V3[size];
  const norm = (at: string, x: Value, maps: number, kernel: number, { stride = 1, groups = 1 } = {}): Value =>
    t.convNorm([`${at}.0`, `${at}.1`], x, maps, kernel, { stride, groups, padding: (kernel - 1) / 2, epsilon: 0.001 });
  let x = activate(t, HS, 'features.0.2', norm('features.0', t.input, 16, 3, { stride: 2 }));
  rows.forEach(([kernel, inner, maps, excited, activation, stride], index) => {
    const at = `features.${index + 1}.block`;
    let part = 0;
    let y = x;
    if (inner !== x.shape[1]) y = activate(t, activation, `${at}.${part}.2`, norm(`${at}.${part++}`, y, inner, 1));
    y = activate(t, activation, `${at}.${part}.2`, norm(`${at}.${part++}`, y, inner, kernel, { stride, groups: inner }));
    if (excited) y = squeezeExcitation(t, `${at}.${part++}`, y, { squeezed: byEight(inner / 4), activation: 'relu', gate: 'hardsigmoid' });
    y = norm(`${at}.${part}`, y, maps, 1);
    x = stride === 1 && x.shape[1] === maps ? t.add(`features.${index + 1}`, y, x) : y;
    if (index % 2 === 0) t.probe(x);
  });
  const at = `features.${rows.length + 1}`;
  x = t.probe(activate(t, HS, `${at}.2`, norm(at, x, 6 * x.shape[1]!, 1)));
  x = flatten(t, '', t.adaptiveAveragePool('avgpool', x, 1));
  return t.result(t.linear('classifier.3', activate(t, HS, 'classifier.1', t.linear('classifier.0', t.probe(x), last)), 1000));
}
