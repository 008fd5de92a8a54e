/** The settings of an attribution as options of the command line. */
import { UnitscopeError } from '../../errors.ts';
import {
  ATTRIBUTION_DISPLAYS,
  ATTRIBUTIONS,
  BASELINES,
  CLASSIC_MODES,
  type AttributeOptions,
  type AttributionDisplay,
  type AttributionForm,
  type BackwardMode,
  type ClassicMode,
} from '../../index.ts';
import type { Call, Option } from './command.ts';
import { choiceOf, countOf, numberOf } from './value.ts';

const CLASSICS = Object.keys(CLASSIC_MODES) as ClassicMode[];
const SWITCH = ['on', 'off'] as const;

export const ATTRIBUTE_OPTIONS: Readonly<Record<string, Option>> = {
  method: { type: 'text', value: 'NAME', summary: ATTRIBUTIONS.join(', '), default: 'gradient' },
  rule: { type: 'text', value: 'RULE', summary: `how the gradient goes back: ${CLASSICS.join(', ')}; each of the next four changes it` },
  mask: { type: 'text', value: 'on|off', summary: 'ReLU passes it only where its own answer is above zero' },
  rectify: { type: 'text', value: 'on|off', summary: 'ReLU passes only what is positive of it' },
  switches: { type: 'text', value: 'on|off', summary: 'max pooling passes it to the maximum; off: to the centre of the window' },
  lrn: { type: 'text', value: 'true|identity', summary: 'local response normalization passes its true gradient, or all as it is' },
  samples: { type: 'text', value: 'N', summary: 'smoothgrad: pictures with noise', default: '50' },
  sigma: { type: 'text', value: 'SHARE', summary: "smoothgrad: the noise's standard deviation, as a share of the input's range", default: '0.15' },
  seed: { type: 'text', value: 'S', summary: 'smoothgrad: seed of the noise', default: '0' },
  steps: { type: 'text', value: 'N', summary: 'integrated: points on the way from the baseline to the picture', default: '50' },
  baseline: { type: 'text', value: 'WORD', summary: `integrated: where that way begins: ${BASELINES.join(', ')} (zero is the mean colour)`, default: 'zero' },
  'baseline-blur': { type: 'text', value: 'PIXELS', summary: 'standard deviation of --baseline blur; a tenth of the shorter side unless given' },
  layer: { type: 'text', value: 'NAME', summary: 'grad-cam: the layer whose maps are weighed; the last one with maps before the unit' },
  batch: { type: 'text', value: 'N', summary: 'smoothgrad and integrated: inputs at once, at most; 8 unless given, 2 without a GPU' },
};

export const DISPLAY_OPTIONS: Readonly<Record<string, Option>> = {
  show: { type: 'text', value: 'MODE', summary: `the picture: ${ATTRIBUTION_DISPLAYS.join(', ')}; raw unless given, overlay for grad-cam` },
  blur: { type: 'text', value: 'PIXELS', summary: 'standard deviation of the blur of norm-blur (4 unless given) and overlay (none)' },
  full: { type: 'text', value: 'PERCENT', summary: 'percentile of the values that is drawn at full strength; 99.5 unless given, 100 for grad-cam' },
};

/** What is computed, with the seed, which every recipe has. */
export interface AttributeSettings
  extends Pick<AttributeOptions, 'form' | 'mode' | 'samples' | 'sigma' | 'steps' | 'baseline' | 'baselineSigma' | 'evidence' | 'batch'> {
  readonly seed: number;
}

/** Throws 'usage' naming the option. */
export function attributeSettings({ values }: Call): AttributeSettings {
  const form = choiceOf('method', values.method!, ATTRIBUTIONS);
  return {
    form,
    mode: modeOf(values, form),
    samples: countOf('samples', values.samples!, 1, 100_000),
    sigma: numberOf('sigma', values.sigma!),
    seed: countOf('seed', values.seed!, 0, 0xffffffff),
    steps: countOf('steps', values.steps!, 1, 100_000),
    baseline: choiceOf('baseline', values.baseline!, BASELINES),
    baselineSigma: values['baseline-blur'] === undefined ? undefined : numberOf('baseline-blur', values['baseline-blur']),
    evidence: values.layer,
    ...(values.batch !== undefined && { batch: countOf('batch', values.batch, 1, 4096) }),
  };
}

/** The mode that the options ask for: a named one, with single switches over it; undefined for grad-cam, which has none. */
function modeOf(values: Call['values'], form: AttributionForm): BackwardMode | undefined {
  const asked = ['rule', 'mask', 'rectify', 'switches', 'lrn'].find((name) => values[name] !== undefined);
  if (form === 'grad-cam') {
    if (asked === undefined) return undefined;
    throw new UnitscopeError('usage', `--${asked} is of no use to grad-cam, which goes by the true gradient`, {}, 'guided-grad-cam multiplies it with a gradient of any mode');
  }
  const isOn = (name: 'mask' | 'rectify' | 'switches'): boolean => (values[name] === undefined ? start[name] : choiceOf(name, values[name], SWITCH) === 'on');
  const classic = values.rule === undefined ? undefined : choiceOf('rule', values.rule, CLASSICS);
  const start = CLASSIC_MODES[classic ?? (form === 'guided-grad-cam' ? 'guided' : 'saliency')];
  return {
    mask: isOn('mask'),
    rectify: isOn('rectify'),
    switches: isOn('switches'),
    lrn: values.lrn === undefined ? start.lrn : choiceOf('lrn', values.lrn, ['true', 'identity'] as const),
  };
}

/** How it is drawn. Throws 'usage' naming the option. */
export function displayOf({ values }: Call, form: AttributionForm): AttributionDisplay {
  const isMap = form === 'grad-cam';
  const mode = choiceOf('show', values.show ?? (isMap ? 'overlay' : 'raw'), ATTRIBUTION_DISPLAYS);
  const blur = values.blur === undefined ? (mode === 'norm-blur' ? 4 : 0) : numberOf('blur', values.blur);
  const full = values.full === undefined ? (isMap ? 100 : 99.5) : numberOf('full', values.full);
  if (blur < 0 || blur > 1000) throw new UnitscopeError('usage', `--blur needs pixels from 0 to 1000, got '${values.blur}'`);
  if (full <= 0 || full > 100) throw new UnitscopeError('usage', `--full needs a percentile above 0 and up to 100, got '${values.full}'`);
  return { mode, blur, full };
}
