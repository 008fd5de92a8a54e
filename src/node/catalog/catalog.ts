/** The catalog of networks that people start with: where their files lie, how to know them, how a picture becomes their input. */
import catalog from '../../../models/catalog.json';
import { UnitscopeError } from '../../errors.ts';
import { encodeText } from '../../formats/text.ts';
import { parseJson } from '../../formats/json.ts';
import { parsePreprocess } from '../../formats/manifest/schema.ts';
import { Section } from '../../formats/manifest/section.ts';
import type { Preprocess } from '../../index.ts';
import { ALGORITHMS, HASH_LENGTH, type Digests } from './digest.ts';

export interface CatalogFile {
  /** Where it goes, below the folder of the network. */
  readonly path: string;
  /** Where it lies; the later ones are tried when the earlier ones fail. */
  readonly urls: readonly string[];
  readonly bytes?: number;
  readonly digests: Digests;
}

export interface CatalogEntry {
  readonly name: string;
  readonly title: string;
  /** Name of the file format, for people. */
  readonly format: string;
  /** Path of the file that a person opens. */
  readonly model: string;
  readonly files: readonly CatalogFile[];
  /** Names of the classes, or the file of `files` that holds them, one a line. */
  readonly labels?: readonly string[] | string;
  readonly licence: string;
  readonly source: string;
  /** Absent where nobody says it for certain. */
  readonly preprocess?: Preprocess;
  /** Who says so, or why it is not known. */
  readonly preprocessFrom: string;
  readonly accuracy?: string;
  /** What the network calls a picture that anybody can get. */
  readonly expected?: { readonly image: string; readonly index: number; readonly label: string; readonly from: string };
  /** Why address, sizes and hashes could not be compared with the files; absent where they were. */
  readonly unverified?: string;
}

export interface Catalog {
  readonly entries: readonly CatalogEntry[];
  /** Hosts that a host may send us on to; one that begins with a dot stands for all hosts that end so. */
  readonly redirects: ReadonlyMap<string, readonly string[]>;
}

export const CATALOG_VERSION = 1;

/** No file is larger than this, whatever a catalog or a server says. */
export const MAX_BYTES = 2 ** 33;

let own: Catalog | undefined;

/** The catalog that comes with the program. */
export function ownCatalog(): Catalog {
  return (own ??= parseCatalog(JSON.stringify(catalog), 'catalog.json'));
}

/** Reads a catalog as a file from a stranger: paths stay below their folder, addresses are http(s). Throws 'model-format' naming the field. */
export function parseCatalog(text: string, file: string): Catalog {
  const top = new Section(parseJson(text, file), '', file);
  top.oneOf('format', ['unitscope-catalog']);
  if (top.number('version') !== CATALOG_VERSION) throw top.fault('version', `must be ${CATALOG_VERSION}`);
  const hosts = top.section('redirects');
  const redirects = new Map(hosts.keys().map((host) => [host, hosts.texts(host)]));
  const lists = top.section('labels');
  const labels = new Map(lists.keys().map((name) => [name, parseFile(lists.section(name))]));
  const entries = top.sections('models').map((section) => parseEntry(section, labels));
  for (const { name } of entries) if (entries.filter((entry) => entry.name === name).length > 1) throw top.fault('models', `'${name}' stands there twice`);
  top.finish();
  return { entries, redirects };
}

function parseEntry(section: Section, lists: ReadonlyMap<string, CatalogFile>): CatalogEntry {
  const name = section.title('name');
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) throw section.fault('name', 'must be small letters, digits, dots and dashes');
  const files = section.sections('files').map(parseFile);
  const named = section.has('labels') && typeof section.raw('labels') === 'string' ? section.text('labels') : undefined;
  const list = named === undefined ? undefined : lists.get(named);
  if (named !== undefined && !list) throw section.fault('labels', `there is no list '${named}'`);
  if (list) files.push(list);
  const paths = files.map(({ path }) => path.toLowerCase());
  if (new Set(paths).size < paths.length) throw section.fault('files', 'two files have one path');
  const model = section.title('model');
  if (!files.some(({ path }) => path === model)) throw section.fault('model', `'${model}' is none of the files`);
  if (section.raw('verified') !== !section.has('unverified')) throw section.fault('unverified', 'must say why, where `verified` is false');
  const entry: CatalogEntry = {
    name,
    title: section.title('title'),
    format: section.title('format'),
    model,
    files,
    ...(list ? { labels: list.path } : section.has('labels') && { labels: section.texts('labels') }),
    licence: section.title('licence'),
    source: section.title('source'),
    ...(section.has('preprocess') && { preprocess: parsePreprocess(section.section('preprocess')) }),
    preprocessFrom: section.title('preprocessFrom'),
    ...(section.has('accuracy') && { accuracy: section.title('accuracy') }),
    ...(section.has('expected') && { expected: parseExpected(section.section('expected')) }),
    ...(section.has('unverified') && { unverified: section.title('unverified') }),
  };
  section.finish();
  return entry;
}

function parseExpected(section: Section): NonNullable<CatalogEntry['expected']> {
  const expected = { image: section.title('image'), index: section.number('index'), label: section.title('label'), from: section.title('from') };
  section.finish();
  return expected;
}

function parseFile(section: Section): CatalogFile {
  const path = section.title('path');
  if (!isInside(path)) throw section.fault('path', `'${path}' may lead out of the folder`);
  const urls = section.texts('urls');
  if (urls.length === 0) throw section.fault('urls', 'must name an address');
  const digests: Partial<Record<(typeof ALGORITHMS)[number], string>> = {};
  for (const algorithm of ALGORITHMS) {
    if (!section.has(algorithm)) continue;
    const value = section.text(algorithm);
    if (!/^[0-9a-f]+$/.test(value) || value.length !== HASH_LENGTH[algorithm]) throw section.fault(algorithm, `must be ${HASH_LENGTH[algorithm]} hexadecimal digits`);
    digests[algorithm] = value;
  }
  for (const [index, url] of urls.entries()) {
    const protocol = URL.canParse(url) ? new URL(url).protocol : '';
    // What comes over plain http may be changed on its way: only a hash shows it.
    if (protocol === 'https:' || (protocol === 'http:' && (digests.sha256 ?? digests.sha384 ?? digests.sha1))) continue;
    throw section.fault(`urls[${index}]`, protocol === 'http:' ? 'must be https where no hash is known' : 'must be an address of http or https');
  }
  const bytes = section.has('bytes') ? section.number('bytes') : undefined;
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes > 0 && bytes <= MAX_BYTES)) throw section.fault('bytes', 'must be a size in bytes');
  section.finish();
  return { path, urls, digests, ...(bytes !== undefined && { bytes }) };
}

/** True for a relative path of plain names, on every system: no `..`, no drive, no device, no end that Windows drops. */
export function isInside(path: string): boolean {
  const parts = path.split('/');
  return encodeText(path).length <= 200 && parts.every((part) => /^[\w][\w .+@-]*$/.test(part) && !/[. ]$/.test(part) && !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part));
}

/** The entry of that name. Throws 'usage' with the nearest name. */
export function findEntry({ entries }: Catalog, name: string, nearest: (word: string, names: readonly string[]) => string | undefined): CatalogEntry {
  const found = entries.find((entry) => entry.name === name.toLowerCase());
  if (found) return found;
  const near = nearest(name, entries.map((entry) => entry.name));
  throw new UnitscopeError('usage', `the catalog has no network '${name}'`, {}, `${near ? `did you mean '${near}'? ` : ''}\`unitscope fetch\` lists them`);
}

/** Bytes of all files, as far as they are known. */
export function totalBytes({ files }: CatalogEntry): number {
  return files.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
