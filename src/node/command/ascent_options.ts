/** The settings of activation maximization as options of the command line. */
import { ascentSettings, CONTRASTS, type Contrast, DEFAULT_SETTINGS, FREE_STEP, type AscentSettings } from '../../index.ts';
import type { Call, Option } from './command.ts';
import { choiceOf, countOf, numberOf } from './value.ts';

const POLICIES: readonly AscentSettings['policy'][] = ['constant', 'progress', 'progress01', 'normalized'];

/** What each setting means, in the order of the help. */
const MEANING: Readonly<Record<keyof AscentSettings, string>> = {
  iterations: 'iterations; the last one only looks',
  decay: 'share of the image that each step takes away, 0..1',
  blurRadius: 'standard deviation of the blur in pixels',
  blurEvery: 'steps between two blurs, 0 = never',
  smallValue: 'percentile of |value| below which values are cut',
  smallNorm: 'percentile of the norm below which pixels are cut',
  contribution: 'percentile of the contribution below which pixels are cut',
  absContribution: 'percentile of |contribution| below which pixels are cut',
  policy: `how far a step goes: ${POLICIES.join(', ')}`,
  rate: 'step size of policy constant; of normalized, in pixel levels',
  maxRate: 'largest step size of the other policies',
  desired: 'gain of the score per step that progress aims at',
  early: 'gain per step that progress01 aims at in the beginning',
  late: 'share of what is missing to 1 that it aims at later',
};

const SETTINGS = Object.keys(MEANING) as (keyof AscentSettings)[];

/** 'blurRadius' -> 'blur-radius'. */
const optionName = (setting: string): string => setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const SETTING_OPTIONS: Readonly<Record<string, Option>> = {
  preset: { type: 'text', value: '1..4', summary: 'published combination of settings that the others start from', default: '3' },
  ...Object.fromEntries(
    SETTINGS.map((name) => [optionName(name), { type: 'text', value: name === 'policy' ? 'WORD' : 'N', summary: MEANING[name] } satisfies Option]),
  ),
};

export const CONTRAST_OPTION: Option = {
  type: 'text', value: 'WORD', summary: 'how the picture is drawn: its pixels, or stretched, what it adds to the mean colour at the largest contrast', default: CONTRASTS[0],
};

/** @throws usage */
export const contrastOf = ({ values }: Call): Contrast => choiceOf('contrast', values.contrast!, CONTRASTS);

/**
 * The preset with single settings over it. The embedded network takes a step that fits it, unless one is asked for.
 * Throws 'usage' naming the option or the setting, with its range.
 */
export function settingsOf({ values }: Call, embedded: boolean): AscentSettings {
  const preset = countOf('preset', values.preset!, 1, 4);
  const stepAsked = ['policy', 'rate', 'maxRate', 'desired'].some((name) => values[optionName(name)] !== undefined);
  const changes: Record<string, number | string> = embedded && !stepAsked ? { ...FREE_STEP } : {};
  for (const name of SETTINGS) {
    const text = values[optionName(name)];
    if (text === undefined) continue;
    changes[name] = typeof DEFAULT_SETTINGS[name] === 'string' ? choiceOf(optionName(name), text, POLICIES) : numberOf(optionName(name), text);
  }
  return ascentSettings(changes as Partial<AscentSettings>, preset);
}
