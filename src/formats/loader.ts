/** Files to a Network, whatever the format. */
import { UnitscopeError } from '../errors.ts';
import type { Network } from '../network/network.ts';
import { quote } from '../network/spelling.ts';
import { describeContent, recogniseContent, refuseForeign } from './content.ts';
import { baseName, type Format, type LoadOptions, type NamedFile } from './format.ts';
import { formats } from './index.ts';
import { withSidecar } from './sidecar.ts';

export type { LoadOptions, NamedFile } from './format.ts';

/**
 * Loads the one network among files that came together (dropped, or the content of a folder).
 * The format is told by content; a file name that claims another format is noted.
 * Throws 'model-format', 'model-unsupported', 'model-invalid', 'not-finite' (strict) or 'usage'.
 */
export async function loadNetwork(files: readonly NamedFile[], options: LoadOptions = {}): Promise<Network> {
  if (files.length === 0) throw new UnitscopeError('usage', 'no files were given');
  const found = mainFiles(files);
  if (found.length === 0) throw nothingFound(files);
  if (found.length > 1) {
    const names = found.map(({ file, format }) => `${quote(file.name)} (${format.name})`).join(', ');
    throw new UnitscopeError('usage', `several networks at once: ${names}`, {}, 'give the files of one network');
  }
  const { file, format } = found[0]!;
  if (options.architecture !== undefined && !format.weightsAlone) {
    throw new UnitscopeError('usage', `${quote(file.name)} says itself what its layers are`, {}, 'leave out the option architecture');
  }
  const network = withSidecar(await format.load(file, files, options), file, files, format.weightsAlone);
  const note = extensionNote(file, format);
  return note ? { ...network, notes: [...(network.notes ?? []), note] } : network;
}

/** The main files among files, with their formats; files of weights are some where there are no others. */
export function mainFiles(files: readonly NamedFile[]): { file: NamedFile; format: Format }[] {
  const found = files.flatMap((file) => {
    const format = formats.find((candidate) => candidate.recognise(file));
    return format ? [{ file, format }] : [];
  });
  const whole = found.filter(({ format }) => !format.weightsAlone);
  return whole.length > 0 ? whole : found;
}

function extensionNote(file: NamedFile, format: Format): string | undefined {
  const name = baseName(file.name).toLowerCase();
  if (!name.includes('.') || format.extensions.some((extension) => name.endsWith(extension))) return undefined;
  return `${quote(file.name)} is ${format.name} by its content, whatever its name says`;
}

function nothingFound(files: readonly NamedFile[]): UnitscopeError {
  const part = formats.find(({ beside = [], recognisePart }) => files.some(({ name, bytes }) => beside.some((end) => name.toLowerCase().endsWith(end)) || recognisePart?.(bytes)));
  const alone = part ? `${part.name} needs its ${part.extensions[0]} too: give both together; ` : '';
  const supported = `${alone}supported: ${formats.map((format) => `${format.name} (${format.extensions.join(', ')})`).join('; ')}`;
  if (files.length > 1) {
    const seen = files.slice(0, 8).map((file) => `${quote(file.name)} is ${describe(file.bytes)}`).join('; ');
    const rest = files.length > 8 ? `; and ${files.length - 8} more` : '';
    return new UnitscopeError('model-unsupported', `no network among the files: ${seen}${rest}`, {}, supported);
  }
  const { name, bytes } = files[0]!;
  refuseForeign(bytes, name);
  const known = recogniseContent(bytes);
  const hint = [known?.hint, supported].filter(Boolean).join('; ');
  const code = known || part ? 'model-unsupported' : 'model-format';
  return new UnitscopeError(code, `this is ${describe(bytes)}, not a network`, { file: name, offset: 0 }, hint);
}

function describe(bytes: Uint8Array): string {
  const part = formats.find(({ recognisePart }) => recognisePart?.(bytes));
  return part ? `a part of a network of ${part.name} (its weights)` : describeContent(bytes);
}
