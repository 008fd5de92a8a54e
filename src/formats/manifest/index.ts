/** Unitscope's own form: a JSON manifest that says what the layers are, and a safetensors file with their weights. */
import { UnitscopeError } from '../../errors.ts';
import type { Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { refuseForeign } from '../content.ts';
import { baseName, type Format, type NamedFile } from '../format.ts';
import { readSafetensors } from '../safetensors.ts';
import { asciiPrefix, decodeText } from '../text.ts';
import { networkOf, tensorNames } from './network.ts';
import { parseManifest } from './schema.ts';

export const manifestFormat: Format = {
  name: 'Unitscope manifest',
  extensions: ['.json'],

  recognise(file: NamedFile): boolean {
    const start = asciiPrefix(file.bytes, 4096);
    return start.replace(/^\.\.\./, '').trimStart().startsWith('{') && /"format"\s*:\s*"unitscope"/.test(start);
  },

  async load(main, files, options) {
    const manifest = parseManifest(decodeText(main.bytes, main.name), main.name);
    const needed = new Set(tensorNames(manifest));
    let tensors: ReadonlyMap<string, Tensor> = new Map();
    if (manifest.weights !== undefined) {
      const file = companion(manifest.weights, 'weights', main, files);
      tensors = readSafetensors(file.bytes, { file: file.name, only: (name) => needed.has(name) }).tensors;
    }
    const labels =
      typeof manifest.labels === 'string' ? labelsOf(companion(manifest.labels, 'labels', main, files)) : undefined;
    return networkOf(manifest, tensors, { file: main.name, labels, strict: options.strict });
  },
};

/** A file that the manifest names, found by its base name only: a manifest cannot reach into other folders. */
function companion(name: string, field: string, main: NamedFile, files: readonly NamedFile[]): NamedFile {
  const found = files.filter((file) => file !== main && baseName(file.name) === name);
  if (found.length === 1) return found[0]!;
  const others = files.filter((file) => file !== main).map((file) => quote(file.name));
  const message =
    found.length > 1 ? `${found.length} files are called ${quote(name)}` : `the file ${quote(name)} (${field}) is missing`;
  const beside = others.length > 0 ? `; beside it came ${others.slice(0, 8).join(', ')}` : '';
  const hint = `give it together with the manifest${beside}`;
  throw new UnitscopeError('io', message, { file: main.name, attribute: field }, hint);
}

/** One label a line; empty lines at the end do not count. */
function labelsOf(file: NamedFile): string[] {
  refuseForeign(file.bytes, file.name);
  return decodeText(file.bytes, file.name).trimEnd().split(/\r?\n/);
}
