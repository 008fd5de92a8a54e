/** Manifest to Network and back. */
import { UnitscopeError } from '../../errors.ts';
import type { Network, Tensor } from '../../network/network.ts';
import { didYouMean, quoteList } from '../../network/spelling.ts';
import { finishNetwork } from '../../network/validate.ts';
import { writeSafetensors, type Precision } from '../safetensors.ts';
import { MANIFEST_VERSION, parseManifest, type Manifest } from './schema.ts';

export interface ReadManifestOptions {
  /** File name for error addresses. */
  file?: string | undefined;
  /** Content of the label file where the manifest names one. */
  labels?: readonly string[] | undefined;
  /** Refuse weights that are not finite. */
  strict?: boolean | undefined;
}

/**
 * A network from the text of a manifest and its tensors, from a file or made in memory; names are those that
 * the manifest uses. The tensors are taken as they are, not copied.
 */
export function readManifest(
  text: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: ReadManifestOptions = {},
): Network {
  return networkOf(parseManifest(text, options.file), tensors, options);
}

/** Every tensor that the manifest's layers need. */
export function tensorNames(manifest: Manifest): string[] {
  return [...new Set(manifest.nodes.flatMap((node) => Object.values(node.weights)))];
}

/** Joins a checked manifest with its tensors. Throws 'model-invalid' with all missing tensors at once. */
export function networkOf(
  manifest: Manifest,
  tensors: ReadonlyMap<string, Tensor>,
  options: ReadManifestOptions = {},
): Network {
  const file = options.file ?? 'manifest';
  const missing = tensorNames(manifest).filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    const title = missing.length === 1 ? 'a tensor is missing' : `${missing.length} tensors are missing`;
    const message = `${title} in the weights: ${quoteList(missing, 50)}`;
    throw new UnitscopeError('model-invalid', message, { file }, didYouMean(missing[0]!, [...tensors.keys()]));
  }
  const labels = typeof manifest.labels === 'string' ? options.labels : manifest.labels;
  if (typeof manifest.labels === 'string' && !labels) {
    throw new UnitscopeError('io', `the label file '${manifest.labels}' is missing`, { file, attribute: 'labels' });
  }
  const draft: Network = {
    name: manifest.name,
    inputs: manifest.inputs,
    outputs: manifest.outputs,
    nodes: manifest.nodes.map((node) => ({
      ...node,
      weights: Object.fromEntries(Object.entries(node.weights).map(([role, name]) => [role, tensors.get(name)!])),
    })),
    ...(manifest.preprocess && { preprocess: manifest.preprocess }),
    ...(labels && { labels }),
  };
  return finishNetwork(draft, { file, strict: options.strict ?? false });
}

export interface WriteManifestOptions {
  /** 'f16' halves the file; a tensor beyond the range of binary16 stays f32. */
  precision?: Precision;
  /** Name of the weights file that the manifest will state. */
  weightsFile?: string;
}

/** The inverse of `readManifest`: with 'f32' the same numbers come back, with 'f16' the nearest binary16 ones. */
export function writeManifest(
  network: Network,
  options: WriteManifestOptions = {},
): { json: string; safetensors: Uint8Array } {
  const { precision = 'f32', weightsFile = 'weights.safetensors' } = options;
  const tensors = new Map<string, Tensor>();
  const names = new Map<Tensor, string>(); // a tensor of several layers is written once
  const nodes = network.nodes.map(({ name, op, inputs, attributes, weights, output }) => {
    for (const [key, value] of Object.entries(attributes)) {
      if ((Array.isArray(value) ? value : [value]).every((part) => typeof part !== 'number' || Number.isFinite(part))) continue;
      throw new UnitscopeError('usage', 'JSON has no infinity and no NaN', { layer: name, op, attribute: key });
    }
    const roles = Object.entries(weights).map(([role, tensor]) => {
      const known = names.get(tensor) ?? `${name}/${role}`;
      names.set(tensor, known);
      tensors.set(known, tensor);
      return [role, known];
    });
    return {
      name,
      op,
      inputs,
      ...(Object.keys(attributes).length > 0 && { attributes }),
      ...(roles.length > 0 && { weights: Object.fromEntries(roles) as Record<string, string> }),
      ...(output !== name && { output }),
    };
  });
  const head = {
    format: 'unitscope',
    version: MANIFEST_VERSION,
    name: network.name,
    weights: weightsFile,
    inputs: network.inputs,
    outputs: network.outputs,
    ...(network.preprocess && { preprocess: network.preprocess }),
    ...(network.labels && { labels: network.labels }),
  };
  // One layer a line: a person reads the list, and a change of one layer is one line of a diff.
  const lines = nodes.map((node) => `    ${JSON.stringify(node)}`).join(',\n');
  const json = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "nodes": [\n${lines}\n  ]\n}\n`;
  return { json, safetensors: writeSafetensors(tensors, precision) };
}
