/**
 * Tensor data in files beside the model (TensorProto.data_location EXTERNAL): a path relative to the model, and where
 * the bytes lie in that file. A model reaches nothing but the files that came with it, and of these only what lies in
 * its own folder. Keys and meaning: onnx.proto, TensorProto.external_data.
 */
import { UnitscopeError, type ErrorAddress } from '../../errors.ts';
import { quote, quoteList } from '../../network/spelling.ts';
import { refuseForeign } from '../content.ts';
import { baseName, type NamedFile } from '../format.ts';
import { readMessage, type Source } from '../protobuf.ts';

/** A tensor lies in a file that did not come with the model. */
export class MissingFileError extends UnitscopeError {}

/** Most files that one model may name. */
export const FILES_LIMIT = 4096;

export interface ExternalReference {
  location: string;
  offset: number;
  /** Bytes; undefined where the file does not say: as many as the tensor needs. */
  length: number | undefined;
}

/** Adds one entry (StringStringEntryProto) of `external_data`. The checksum is not looked at. */
export function readExternalEntry(bytes: Uint8Array, source: Source, into: ExternalReference): void {
  let key = '';
  let value = '';
  readMessage(bytes, source, (field) => {
    if (field.number === 1) key = field.text();
    else if (field.number === 2) value = field.text();
  });
  if (key === 'location') into.location = value;
  else if (key === 'offset') into.offset = wholeNumber(value, key, source);
  else if (key === 'length') into.length = wholeNumber(value, key, source);
}

function wholeNumber(text: string, key: string, { file }: Source): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new UnitscopeError('model-format', `the ${key} ${quote(text)} of a tensor in another file is no whole number`, { file });
}

/** The path below the model's folder, with `/` between; undefined for one that leads elsewhere. */
export function pathInside(location: string): string | undefined {
  const parts = location.split(/[/\\]/).filter((part) => part !== '.' && part !== '');
  const leaves = /^[/\\]/.test(location) || /^[A-Za-z]:/.test(location) || parts.includes('..') || location.includes('\0');
  return leaves || parts.length === 0 ? undefined : parts.join('/');
}

/** The files that came with a model, by the paths that the model uses. */
export class ExternalFiles {
  private readonly missing = new Set<string>();
  private readonly found = new Map<string, Uint8Array>();
  private readonly folder: string;
  private readonly files: readonly NamedFile[];

  /** `model` is the name of the model's file, which may have a path in front. */
  constructor(model: string, files: readonly NamedFile[]) {
    this.folder = model.slice(0, model.length - baseName(model).length).replaceAll('\\', '/');
    this.files = files.filter(({ name }) => name !== model);
  }

  /** The bytes of a tensor that needs `count` of them; undefined where the file is missing, which is remembered. */
  read({ location, offset, length = undefined }: ExternalReference, count: number, title: string, address: ErrorAddress): Uint8Array | undefined {
    const path = pathInside(location);
    if (path === undefined) {
      throw new UnitscopeError('model-invalid', `${title} keeps its data in ${quote(location)}, which is not in the model's folder`, address);
    }
    const bytes = this.found.get(path) ?? this.find(path);
    if (!bytes) {
      this.missing.add(path);
      return undefined;
    }
    if (length !== undefined && length !== count) {
      throw new UnitscopeError('model-invalid', `${title} needs ${count} bytes, but ${length} are stated in ${quote(path)}`, address);
    }
    if (offset + count > bytes.length) {
      const message = `${title} needs the bytes ${offset} to ${offset + count} of ${quote(path)}, which has ${bytes.length}: the file is cut or another one`;
      throw new UnitscopeError('model-invalid', message, address);
    }
    return bytes.subarray(offset, offset + count);
  }

  /** By its path below the model's folder; where files came without folders, by its name alone. */
  private find(path: string): Uint8Array | undefined {
    const slashed = this.files.map((file) => ({ file, name: file.name.replaceAll('\\', '/') }));
    const exact = slashed.filter(({ name }) => name === this.folder + path);
    const named = exact.length > 0 ? exact : slashed.filter(({ name }) => baseName(name) === baseName(path));
    if (named.length > 1) {
      throw new UnitscopeError('usage', `${named.length} files are called ${quote(baseName(path))}`, {}, 'give the files of one network');
    }
    const [only] = named;
    if (!only) return undefined;
    refuseForeign(only.file.bytes, only.file.name);
    this.found.set(path, only.file.bytes);
    return only.file.bytes;
  }

  /** What is missing, in words; undefined when everything is there. */
  get lack(): string | undefined {
    const names = [...this.missing];
    if (names.length === 0) return undefined;
    return names.length === 1 ? `the file ${quote(names[0]!)} with its weights is missing` : `${names.length} files with its weights are missing: ${quoteList(names, 50)}`;
  }

  get lackHint(): string {
    const others = this.files.map(({ name }) => quote(baseName(name)));
    const beside = others.length > 0 ? `; beside it came ${others.slice(0, 8).join(', ')}` : '';
    return `give it together with the model${beside}`;
  }
}
