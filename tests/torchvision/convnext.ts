/** ConvNeXt tiny (Liu et al. 2022): layer norms and dense layers over channels that stand last. */
import { activate, layerNorm } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { flatten } from './view.ts';

const STAGES = [[96, 3], [192, 3], [384, 9], [768, 3]] as const;
const EPSILON = 1e-6;
const CHANNELS_LAST = [0, 2, 3, 1];
const CHANNELS_FIRST = [0, 3, 1, 2];

/** A layer norm over the channels of an image. */
function imageNorm(t: Exporter, at: string, x: Value): Value {
  return t.permute(at, layerNorm(t, at, t.permute(at, x, CHANNELS_LAST), EPSILON), CHANNELS_FIRST);
}

function block(t: Exporter, at: string, x: Value): Value {
  const channels = x.shape[1]!;
  const part = (index: number): string => `${at}.block.${index}`;
  let y = t.permute(part(1), t.conv(part(0), x, channels, 7, { padding: 3, groups: channels }), CHANNELS_LAST);
  y = t.linear(part(3), layerNorm(t, part(2), y, EPSILON), 4 * channels);
  y = t.permute(part(6), t.linear(part(5), activate(t, 'gelu', part(4), y), channels), CHANNELS_FIRST);
  const scale = t.learnedVector(`${at}.layer_scale`, [channels, 1, 1], 0.4, 0.2);
  return t.add(at, t.call({ at, op: 'Mul', inputs: [scale, y], shape: y.shape, power: 0.2 * y.power }), x);
}

export function convnextTiny(t: Exporter): Exporter {
  let x = t.input;
  STAGES.forEach(([channels, blocks], stage) => {
    const before = `features.${2 * stage}`;
    if (stage === 0) x = imageNorm(t, `${before}.1`, t.conv(`${before}.0`, x, channels, 4, { stride: 4 }));
    else x = t.conv(`${before}.1`, imageNorm(t, `${before}.0`, x), channels, 2, { stride: 2 });
    t.probe(x);
    for (let index = 0; index < blocks; index++) x = block(t, `features.${2 * stage + 1}.${index}`, x);
    t.probe(x);
  });
  x = imageNorm(t, 'classifier.0', t.adaptiveAveragePool('avgpool', x, 1));
  return t.result(t.linear('classifier.2', t.probe(flatten(t, 'classifier.1', x)), 1000));
}
