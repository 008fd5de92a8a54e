/** The settings of synthesis as options of the command line. */
import { STYLES, SYNTHESIS_WORDS, synthesisSettings, type Style, type SynthesisSettings } from '../../index.ts';
import type { Call, Option } from './command.ts';
import { choiceOf, numberOf } from './value.ts';

type Numbers = { [K in keyof SynthesisSettings]: SynthesisSettings[K] extends number ? K : never }[keyof SynthesisSettings];

/** Numbers, in the order of the help. */
const MEANING: Readonly<Record<Numbers, string>> = {
  steps: 'steps',
  rate: 'step size: of adam its rate; of ascent the change of the parameters, root mean square',
  decay: 'how the amplitude of a frequency f falls: f^-decay',
  deviation: 'standard deviation of the parameters at the start',
  variation: 'weight of the total variation, taken off the score',
  l1: 'weight of the sum of |colour - grey|, colours being 0..1',
  alpha: 'weight of the sum of colour^6',
  redirected: 'steps in which a gradient that is blocked everywhere passes ReLU as if it were open',
};

export const SYNTHESIS_OPTIONS: Readonly<Record<string, Option>> = {
  style: { type: 'text', value: 'NAME', summary: `settings that the others start from: ${Object.keys(STYLES).join(', ')}`, default: 'lucid' },
  parameterization: { type: 'text', value: 'WORD', summary: `what moves: ${SYNTHESIS_WORDS.parameterization.join(', ')}` },
  transforms: { type: 'text', value: 'WORD', summary: `how the image is moved before each look: ${SYNTHESIS_WORDS.transforms.join(', ')}` },
  optimizer: { type: 'text', value: 'WORD', summary: `how it climbs: ${SYNTHESIS_WORDS.optimizer.join(', ')} (steps of one size)` },
  ...Object.fromEntries(Object.entries(MEANING).map(([name, summary]) => [name, { type: 'text', value: 'N', summary } satisfies Option])),
  'no-correlate': { type: 'flag', summary: 'red, green and blue move by themselves' },
  'no-sigmoid': { type: 'flag', summary: 'colours are clipped' },
};

/** A style with single settings over it. Throws 'usage' naming the option or the setting, with its range. */
export function synthesisOf({ values, flags }: Call): SynthesisSettings {
  const style = choiceOf('style', values.style!, Object.keys(STYLES)) as Style;
  const numbers = (Object.keys(MEANING) as Numbers[]).flatMap((name) => (values[name] === undefined ? [] : [[name, numberOf(name, values[name])] as const]));
  return synthesisSettings(
    {
      ...(values.parameterization !== undefined && { parameterization: choiceOf('parameterization', values.parameterization, SYNTHESIS_WORDS.parameterization) }),
      ...(values.transforms !== undefined && { transforms: choiceOf('transforms', values.transforms, SYNTHESIS_WORDS.transforms) }),
      ...(values.optimizer !== undefined && { optimizer: choiceOf('optimizer', values.optimizer, SYNTHESIS_WORDS.optimizer) }),
      ...Object.fromEntries(numbers),
      ...(flags.has('no-correlate') && { correlate: false }),
      ...(flags.has('no-sigmoid') && { sigmoid: false }),
    },
    style,
  );
}
