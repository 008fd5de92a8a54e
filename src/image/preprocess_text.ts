/** Preprocessings by name and as text, for the command line and the viewer's address line. */
import { UnitscopeError } from '../errors.ts';
import type { Preprocess } from '../network/network.ts';
import { channelPlanes, checkPreprocess, wrongField } from './preprocess.ts';

export type PresetName = 'imagenet' | 'caffe' | 'unit' | 'signed' | 'raw' | 'gray-unit' | 'gray-raw';

/** The habits of common training programs, by name. */
export const PREPROCESS_PRESETS: Readonly<Record<PresetName, Preprocess>> = {
  /** PyTorch and Gluon model zoos. */
  imagenet: { channels: 'RGB', range: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], fit: 'crop' },
  /** Caffe model zoo: the mean colour of ImageNet in 0..255, blue first. */
  caffe: { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1], fit: 'crop' },
  unit: { channels: 'RGB', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: 'crop' },
  /** TensorFlow's MobileNet and Inception: -1..1. */
  signed: { channels: 'RGB', range: 2, mean: [1, 1, 1], std: [1, 1, 1], fit: 'crop' },
  raw: { channels: 'RGB', range: 255, mean: [0, 0, 0], std: [1, 1, 1], fit: 'crop' },
  'gray-unit': { channels: 'gray', range: 1, mean: [0], std: [1], fit: 'crop' },
  'gray-raw': { channels: 'gray', range: 255, mean: [0], std: [1], fit: 'crop' },
};

const FIELDS = ['channels', 'range', 'mean', 'std', 'fit'] as const;
type Field = (typeof FIELDS)[number];

/**
 * Reads `imagenet`, `{"channels": "BGR", ...}`, `channels=BGR;mean=104,117,123`, or `caffe;fit=stretch`.
 * Fields that the text leaves out come from the named preset, else from `base`; without either, all but `fit`
 * (then `crop`) must be given. Mean and std stay in the order of `channels` and are never swapped with it; a
 * single number stands for every channel. Throws `usage` naming the field.
 */
export function parsePreprocess(text: string, base?: Preprocess): Preprocess {
  const trimmed = text.trim();
  const given = new Map<Field, unknown>();
  let start = base;
  if (trimmed.startsWith('{')) {
    for (const [key, value] of Object.entries(parseObject(trimmed))) given.set(fieldName(key), value);
  } else {
    for (const [index, part] of trimmed.split(';').entries()) {
      const equals = part.indexOf('=');
      if (equals >= 0) given.set(fieldName(part.slice(0, equals).trim()), part.slice(equals + 1).trim());
      else if (index === 0) start = preset(part.trim());
      else if (part.trim()) throw wrongField(`part '${part.trim()}'`, 'is not of the form field=value');
    }
  }

  const channels = (given.get('channels') ?? start?.channels ?? missing('channels')) as Preprocess['channels'];
  const count = channelPlanes(channels).length;
  const list = (field: 'mean' | 'std'): readonly number[] => {
    if (!given.has(field)) return start?.[field] ?? missing(field);
    const values = numbers(field, given.get(field));
    return values.length === 1 ? new Array<number>(count).fill(values[0] as number) : values;
  };
  const result: Preprocess = {
    channels,
    range: given.has('range') ? single(given.get('range')) : (start?.range ?? missing('range')),
    mean: list('mean'),
    std: list('std'),
    fit: (given.get('fit') ?? start?.fit ?? 'crop') as Preprocess['fit'],
  };
  checkPreprocess(result);
  return result;
}

function preset(name: string): Preprocess {
  if (Object.hasOwn(PREPROCESS_PRESETS, name)) return PREPROCESS_PRESETS[name as PresetName];
  throw new UnitscopeError(
    'usage',
    `there is no preprocessing '${name}'`,
    { attribute: 'preset' },
    `presets: ${Object.keys(PREPROCESS_PRESETS).join(', ')}; or field=value;... with the fields ${FIELDS.join(', ')}`,
  );
}

function fieldName(key: string): Field {
  const field = FIELDS.find((name) => name === key);
  if (!field) throw wrongField(`field '${key}'`, `is unknown; the fields are ${FIELDS.join(', ')}`);
  return field;
}

function parseObject(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw new UnitscopeError('usage', 'the preprocessing is no valid JSON', {}, (cause as Error).message, { cause });
  }
}

/** Numbers of `1,2,3`, 7 or [1, 2, 3]; anything else is an error. */
function numbers(field: Field, value: unknown): number[] {
  const parts = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value];
  return parts.map((part: unknown) => {
    const number = typeof part === 'string' && part.trim() !== '' ? Number(part) : part;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw wrongField(field, `needs numbers, got '${String(part)}'`);
    }
    return number;
  });
}

function single(value: unknown): number {
  const [number, ...rest] = numbers('range', value);
  if (number === undefined || rest.length > 0) throw wrongField('range', 'must be one number');
  return number;
}

function missing(field: Field): never {
  throw wrongField(field, 'is not given');
}
