/** `unitscope fetch`: the networks of the catalog, onto this disk. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import { writeSidecar } from '../../formats/sidecar.ts';
import { findEntry, ownCatalog, totalBytes, type Catalog, type CatalogEntry } from '../catalog/catalog.ts';
import { download, type Outcome } from '../catalog/download.ts';
import { checkSpace, placeFor, placeIn } from '../catalog/place.ts';
import type { Rules } from '../catalog/request.ts';
import { nearest } from './arguments.ts';
import type { Call, Command, Report } from './command.ts';
import { ioFault } from './files.ts';
import { table } from './help.ts';
import { binary } from './quantity.ts';
import { numberOf } from './value.ts';
import { wayOf } from './way.ts';

type Fetched = Outcome & { readonly path: string };

/** The command over a catalog; tests bring their own. */
export function fetchFrom(catalog: () => Catalog): Command {
  return {
    name: 'fetch',
    summary: 'download a known network with its preprocessing; without NAME, list them',
    operands: ['NAME?'],
    options: {
      out: { type: 'text', value: 'FOLDER', summary: 'make the folder NAME in this one', default: '.' },
      mirror: { type: 'text', value: 'URL', summary: 'take the files from URL/NAME/ instead (also: UNITSCOPE_MIRROR)' },
      timeout: { type: 'text', value: 'SECONDS', summary: 'give an address up after so long a silence', default: '30' },
    },
    examples: [
      ['unitscope fetch', 'the networks that are known, their sizes and licences'],
      ['unitscope fetch caffenet', 'into the folder caffenet; then: unitscope classify caffenet photo.jpg'],
      ['unitscope fetch vgg16 --out ~/models', 'into ~/models/vgg16; the same command again goes on where it was cut'],
      ['unitscope fetch vgg16 --mirror http://localhost:8000', 'from a server of your own that has a folder vgg16'],
    ],
    gpu: false,
    async run(call): Promise<Report> {
      const [name] = call.operands;
      return name === undefined ? listing(catalog()) : fetchEntry(call, catalog(), findEntry(catalog(), name, nearest));
    },
  };
}

export const fetch = fetchFrom(ownCatalog);

function listing({ entries }: Catalog): Report {
  const rows = entries.map((entry) => [entry.name, entry.title, entry.format, sizeOf(entry), entry.licence, entry.unverified === undefined ? 'yes' : 'no']);
  const text = [
    ...table([['name', 'network', 'format', 'size', 'licence', 'verified'], ...rows], [3]),
    '',
    'verified: yes = size and hash were taken from the file itself; no = they are what others state of it, where they do.',
    'What is known is checked in any case. `unitscope fetch NAME` downloads one.',
  ];
  return { data: { networks: entries.map((entry) => ({ ...entry, bytes: totalBytes(entry), verified: entry.unverified === undefined })) }, text: text.join('\n') };
}

function sizeOf(entry: CatalogEntry): string {
  return `${entry.files.some(({ bytes }) => bytes === undefined) ? 'over ' : ''}${binary(totalBytes(entry))}`;
}

async function fetchEntry(call: Call, catalog: Catalog, entry: CatalogEntry): Promise<Report> {
  const { out, timeout } = call.values;
  const patience = numberOf('timeout', timeout!);
  if (!(patience > 0 && patience <= 3600)) throw new UnitscopeError('usage', `--timeout needs seconds from above 0 to 3600, got '${timeout!}'`);
  const mirror = mirrorOf(call);
  throwIfAborted(call.signal);
  const folder = await placeFor(out!, entry);
  await checkSpace(folder, entry);
  if (entry.unverified !== undefined) call.progress.note(`note: ${entry.name} is not verified: ${entry.unverified}`);

  const rules = (url: string): Rules => ({
    hosts: mirror === undefined ? (catalog.redirects.get(new URL(url).hostname) ?? []) : [],
    plain: mirror !== undefined,
    patience: patience * 1000,
    signal: call.signal,
  });
  const whole = totalBytes(entry);
  const fetched: Fetched[] = [];
  let before = 0;
  for (const file of entry.files) {
    const target = await placeIn(folder, file.path);
    const urls = mirror === undefined ? file.urls : [`${mirror}/${entry.name}/${file.path.split('/').map(encodeURIComponent).join('/')}`];
    const report = (done: number): void => {
      if (file.bytes !== undefined) call.progress.report(`fetch ${entry.name}`, Math.min(before + done, whole), whole, binary);
    };
    const outcome = await download({ ...file, target, urls }, rules, report).catch((error: unknown) => Promise.reject(resumable(error)));
    if (outcome.how === 'already there') report(file.bytes ?? 0);
    before += file.bytes ?? 0;
    fetched.push({ path: file.path, ...outcome });
  }
  const sidecar = await addSidecar(folder, entry);
  const shown = join(out!, entry.name);
  return { data: { ...entry, folder: shown, files: fetched, sidecar, verified: entry.unverified === undefined }, text: describe(entry, shown, fetched, sidecar) };
}

/** The address of --mirror or UNITSCOPE_MIRROR, without a slash at its end. Throws 'usage'. */
function mirrorOf({ values }: Call): string | undefined {
  const mirror = values.mirror ?? process.env.UNITSCOPE_MIRROR;
  if (mirror === undefined || mirror === '') return undefined;
  if (!URL.canParse(mirror) || !/^https?:$/.test(new URL(mirror).protocol)) throw new UnitscopeError('usage', `the mirror must be an address of http or https, got '${mirror}'`, {}, 'for example --mirror http://localhost:8000');
  return mirror.replace(/\/+$/, '');
}

function resumable(error: unknown): unknown {
  if (!(error instanceof UnitscopeError) || error.code !== 'aborted') return error;
  return new UnitscopeError('aborted', error.message, {}, 'what has come is kept: the same command goes on from there', { cause: error });
}

/** Writes what the model file does not say beside it. One that is there stays: a person may have changed it. */
async function addSidecar(folder: string, { model, title, source, licence, preprocess, labels }: CatalogEntry): Promise<'written' | 'already there'> {
  const path = await placeIn(folder, 'unitscope.json');
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(writeSidecar({ model, title, source, licence, ...(preprocess && { preprocess }), ...(labels && { labels }) }));
    } finally {
      await file.close();
    }
    return 'written';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return 'already there';
    throw ioFault('write', path, cause);
  }
}

function describe(entry: CatalogEntry, folder: string, files: readonly Fetched[], sidecar: string): string {
  const shown = files.length > 8 ? [...files.slice(0, 6), files.at(-1)!] : files;
  const rows = shown.map(({ path, bytes, how, checked, hash }) => [path, binary(bytes), how, checked === '' ? `not checked: ${hash}` : checked === 'size' ? 'size is right' : `${checked} is right`]);
  const { preprocess, preprocessFrom, accuracy, expected, licence, source } = entry;
  const facts = [
    ['licence', licence],
    ['source', source],
    ['preprocessing', preprocess ? `${wayOf(preprocess)} (${preprocessFrom})` : preprocessFrom],
    ...(accuracy === undefined ? [] : [['accuracy', accuracy]]),
    ...(expected ? [['expected', `class ${expected.index}, ${expected.label}, for ${expected.image} (${expected.from})`]] : []),
  ];
  return [
    `${entry.title}, in ${folder}`,
    ...table([...rows, ['unitscope.json', '', sidecar, 'what the model file does not say']], [1]),
    ...(shown.length < files.length ? [`  and ${files.length - shown.length} more`] : []),
    ...table(facts),
    preprocess ? `next: unitscope classify ${folder} photo.jpg` : `next: unitscope preprocess-check ${folder} photo.jpg --expect CLASS`,
  ].join('\n');
}
