/** The text of a manifest, checked field by field. */
import type { Attributes, AttributeValue, NetworkInput, Preprocess } from '../../network/network.ts';
import { checkLayerCount } from '../budget.ts';
import { parseJson, type Json } from '../json.ts';
import { Section } from './section.ts';

export const MANIFEST_VERSION = 1;

export interface ManifestNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  /** Name of the tensor in the weights file, by role. */
  readonly weights: Readonly<Record<string, string>>;
  readonly output: string;
}

export interface Manifest {
  readonly name: string;
  /** Name of the safetensors file; absent when no layer has weights or the caller brings them. */
  readonly weights?: string;
  readonly inputs: readonly NetworkInput[];
  readonly outputs: readonly string[];
  readonly preprocess?: Preprocess;
  /** The labels themselves, or the name of a text file with one a line. */
  readonly labels?: readonly string[] | string;
  readonly nodes: readonly ManifestNode[];
}

/** Throws 'model-format' with the path of the field, e.g. `nodes[3].attributes.stride`. */
export function parseManifest(text: string, file = 'manifest'): Manifest {
  const top = new Section(parseJson(text, file), '', file);
  top.oneOf('format', ['unitscope']);
  const version = top.number('version');
  if (version !== MANIFEST_VERSION) throw top.fault('version', `is ${version}; this program reads ${MANIFEST_VERSION}`);
  const manifest: Manifest = {
    name: top.title('name'),
    ...(top.has('weights') && { weights: fileName(top, 'weights') }),
    inputs: top.sections('inputs').map(parseInput),
    outputs: top.texts('outputs'),
    ...(top.has('preprocess') && { preprocess: parsePreprocess(top.section('preprocess')) }),
    ...(top.has('labels') && {
      labels: typeof top.raw('labels') === 'string' ? fileName(top, 'labels') : top.texts('labels'),
    }),
    nodes: nodesOf(top, file),
  };
  top.finish();
  return manifest;
}

function nodesOf(top: Section, file: string): ManifestNode[] {
  checkLayerCount(top.list('nodes').length, file);
  return top.sections('nodes').map(parseNode);
}

function fileName(section: Section, key: string): string {
  const name = section.title(key);
  if (/[/\\]/.test(name)) throw section.fault(key, 'must be a file name without folders');
  return name;
}

function parseInput(section: Section): NetworkInput {
  const input = { name: section.title('name'), shape: section.sizes('shape') };
  section.finish();
  return input;
}

/** The `preprocess` object of a manifest and of all files that state one. */
export function parsePreprocess(section: Section): Preprocess {
  const channels = section.oneOf('channels', ['RGB', 'BGR', 'gray']);
  const preprocess: Preprocess = {
    channels,
    range: section.number('range'),
    mean: section.numbers('mean'),
    std: section.numbers('std'),
    fit: section.oneOf('fit', ['crop', 'stretch']),
  };
  section.finish();
  if (preprocess.range <= 0) throw section.fault('range', 'must be above 0');
  const count = channels === 'gray' ? 1 : 3;
  for (const key of ['mean', 'std'] as const) {
    if (preprocess[key].length !== count) throw section.fault(key, `must have ${count} numbers for ${channels}`);
  }
  if (preprocess.std.some((value) => value <= 0)) throw section.fault('std', 'must be above 0');
  return preprocess;
}

function parseNode(section: Section): ManifestNode {
  const name = section.title('name');
  const node: ManifestNode = {
    name,
    op: section.title('op'),
    inputs: section.texts('inputs'),
    attributes: section.has('attributes') ? parseAttributes(section.section('attributes')) : {},
    weights: section.has('weights') ? parseWeights(section.section('weights')) : {},
    output: section.has('output') ? section.title('output') : name,
  };
  section.finish();
  return node;
}

/** Numbers, booleans, texts and lists of numbers; which attributes an op takes is known to the op. */
function parseAttributes(section: Section): Attributes {
  return Object.fromEntries(section.keys().map((key) => [key, attributeValue(section, key, section.raw(key)!)]));
}

function attributeValue(section: Section, key: string, value: Json): AttributeValue {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return section.text(key);
  return Array.isArray(value) ? section.numbers(key) : section.number(key);
}

function parseWeights(section: Section): Record<string, string> {
  return Object.fromEntries(section.keys().map((role) => [role, section.title(role)]));
}
