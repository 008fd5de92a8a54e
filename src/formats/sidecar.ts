/**
 * `unitscope.json` beside a model: what its own file does not say. A person may write one:
 *
 *     { "format": "unitscope-sidecar", "model": "net.onnx", "labels": "classes.txt",
 *       "preprocess": { "channels": "RGB", "range": 1, "mean": [0, 0, 0], "std": [1, 1, 1], "fit": "crop" } }
 *
 * `model` is the file that it speaks of, all else may be left out; `title`, `source` and `licence` are for people.
 */
import type { Network, Preprocess } from '../network/network.ts';
import { quote } from '../network/spelling.ts';
import { baseName, type NamedFile } from './format.ts';
import { parseJson } from './json.ts';
import { parsePreprocess } from './manifest/schema.ts';
import { Section } from './manifest/section.ts';
import { decodeText } from './text.ts';

export const SIDECAR = 'unitscope.json';

export interface Sidecar {
  /** Base name of the file that it speaks of. */
  readonly model: string;
  readonly title?: string;
  readonly source?: string;
  readonly licence?: string;
  readonly preprocess?: Preprocess;
  /** The names of the classes, or the file that holds them, one a line. */
  readonly labels?: readonly string[] | string;
}

export function writeSidecar(sidecar: Sidecar): string {
  const lines = Object.entries({ format: 'unitscope-sidecar', ...sidecar }).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Throws 'model-format' naming the field. */
export function readSidecar(text: string, file: string): Sidecar {
  const top = new Section(parseJson(text, file), '', file);
  top.oneOf('format', ['unitscope-sidecar']);
  const words = Object.fromEntries((['title', 'source', 'licence'] as const).filter((key) => top.has(key)).map((key) => [key, top.text(key)]));
  const sidecar: Sidecar = {
    model: top.title('model'),
    ...words,
    ...(top.has('preprocess') && { preprocess: parsePreprocess(top.section('preprocess')) }),
    ...(top.has('labels') && { labels: typeof top.raw('labels') === 'string' ? top.title('labels') : top.texts('labels') }),
  };
  top.finish();
  return sidecar;
}

/**
 * The network with what a sidecar among the files adds to it, and notes on what of the sidecar is not used. What the model
 * says of itself stays; what was `assumed` of weights alone, because their tensors are those of a known network, does not.
 * Throws 'model-format'.
 */
export function withSidecar(network: Network, main: NamedFile, files: readonly NamedFile[], assumed = false): Network {
  const file = files.find(({ name }) => baseName(name) === SIDECAR);
  if (!file || file === main) return network;
  const sidecar = readSidecar(decodeText(file.bytes, file.name), file.name);
  const of = quote(file.name);
  if (sidecar.model !== baseName(main.name)) return withNotes(network, [`${of} is not used: it speaks of ${quote(sidecar.model)}, and this is ${quote(baseName(main.name))}`]);
  const notes: string[] = [];
  const { preprocess: own } = network;
  let preprocess: Preprocess | undefined;
  if (sidecar.preprocess && !isSame(sidecar.preprocess, own)) {
    if (!own || assumed) {
      ({ preprocess } = sidecar);
      notes.push(`the preprocessing is that of ${of}`);
    } else notes.push(`the preprocessing is that of ${quote(main.name)} itself, not that of ${of}`);
  }
  const labels = network.labels ? undefined : labelsOf(sidecar, files);
  if (!network.labels && sidecar.labels && !labels) notes.push(`the names of the classes, ${quote(sidecar.labels as string)} by ${of}, are not among the files`);
  return withNotes({ ...network, ...(preprocess && { preprocess }), ...(labels && { labels }) }, notes);
}

const isSame = (a: Preprocess, b: Preprocess | undefined): boolean =>
  b !== undefined && (['channels', 'range', 'mean', 'std', 'fit'] as const).every((key) => String(a[key]) === String(b[key]));

const withNotes = (network: Network, notes: readonly string[]): Network => (notes.length > 0 ? { ...network, notes: [...(network.notes ?? []), ...notes] } : network);

function labelsOf({ labels }: Sidecar, files: readonly NamedFile[]): readonly string[] | undefined {
  if (typeof labels !== 'string') return labels;
  const file = files.find(({ name }) => baseName(name) === labels);
  return file && decodeText(file.bytes, file.name).trimEnd().split(/\r?\n/);
}
