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
  const found = files.flatMap((file) => {
    const format = formats.find((candidate) => candidate.recognise(file));
    return format ? [{ file, format }] : [];
  });
  if (found.length === 0) throw nothingFound(files);
  if (found.length > 1) {
    const names = found.map(({ file, format }) => `${quote(file.name)} (${format.name})`).join(', ');
    throw new UnitscopeError('usage', `several networks at once: ${names}`, {}, 'give the files of one network');
  }
  const { file, format } = found[0]!;
  const network = withSidecar(await format.load(file, files, options), file, files);
  const note = extensionNote(file, format);
  return note ? { ...network, notes: [...(network.notes ?? []), note] } : network;
}

function extensionNote(file: NamedFile, format: Format): string | undefined {
  const name = baseName(file.name).toLowerCase();
  if (!name.includes('.') || format.extensions.some((extension) => name.endsWith(extension))) return undefined;
  return `${quote(file.name)} is ${format.name} by its content, whatever its name says`;
}

function nothingFound(files: readonly NamedFile[]): UnitscopeError {
  const part = formats.find(({ beside = [] }) => files.some(({ name }) => beside.some((end) => name.toLowerCase().endsWith(end))));
  const alone = part ? `${part.name} needs its ${part.extensions[0]} too; ` : '';
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
  const code = known || looksLikeSafetensors(bytes) ? 'model-unsupported' : 'model-format';
  return new UnitscopeError(code, `this is ${describe(bytes)}, not a network`, { file: name, offset: 0 }, hint);
}

function describe(bytes: Uint8Array): string {
  return looksLikeSafetensors(bytes) ? 'safetensors (weights without a manifest)' : describeContent(bytes);
}

/** An 8-byte length below the header limit, then an opening brace. */
function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 9 && bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0 && bytes[5] === 0 && bytes[4] === 0;
}
