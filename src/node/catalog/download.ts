/** One file from the network to the disk: resumed where it was cut, checked, and there whole or not at all. */
import { lstat } from 'node:fs/promises';
import { UnitscopeError } from '../../errors.ts';
import { describeContent, recogniseContent } from '../../formats/content.ts';
import { ioFault } from '../command/files.ts';
import { binary } from '../command/quantity.ts';
import { MAX_BYTES, type CatalogFile } from './catalog.ts';
import { Digester, digestFile, HASH_NAME } from './digest.ts';
import { Part, type Origin } from './part.ts';
import { RemoteFault } from './remote_fault.ts';
import { request, type Answer, type Rules } from './request.ts';

export type Wanted = Pick<CatalogFile, 'bytes' | 'digests'> & {
  /** Where it goes on this disk. */
  readonly target: string;
  readonly urls: readonly string[];
};

export interface Outcome {
  readonly how: 'already there' | 'downloaded' | 'resumed';
  readonly bytes: number;
  /** How it was checked, e.g. `SHA-256`, `size`; empty when nothing is known of it. */
  readonly checked: string;
  /** Name and value of the hash that it has. */
  readonly hash: string;
}

/** Takes note of how far a file is; the total is left out where nobody says it. */
type Report = (done: number, total?: number) => void;

/** How often one address is asked, while its connection is cut on the way. */
const ATTEMPTS = 3;

/**
 * Brings the file. A file of that name that is there is never touched.
 * Throws 'io' with what every address did wrong, or when the disk does not take it; 'aborted' with the part kept for later.
 */
export async function download(wanted: Wanted, rules: (url: string) => Rules, report: Report): Promise<Outcome> {
  const there = await existing(wanted);
  if (there) return there;
  const part = new Part(wanted.target);
  const faults: string[] = [];
  for (const url of wanted.urls) {
    for (let attempt = 1; ; attempt++) {
      const had = await part.size();
      try {
        const { digester, resumed, first } = await transfer(wanted, part, url, rules(url), report);
        const outcome = judge(wanted, digester, resumed ? 'resumed' : 'downloaded', first);
        await part.finish();
        return outcome;
      } catch (error) {
        if (!(error instanceof RemoteFault)) throw error;
        if (error.kind === 'wrong') await part.remove();
        // A part that does not fit may be what was wrong.
        const again = error.kind === 'cut' || (error.kind === 'wrong' && had > 0);
        if (again && attempt < ATTEMPTS) continue;
        faults.push(`${url}: ${error.message}`);
        break;
      }
    }
  }
  const left = await part.size();
  const hint = left > 0 ? `${binary(left)} are kept: the same command goes on from there` : 'with --mirror the files come from another address';
  throw new UnitscopeError('io', `cannot get the file:\n  ${faults.join('\n  ')}`, { file: wanted.target }, hint);
}

/** What is said of a file that is there already. Throws 'io' where it is another one. */
async function existing({ target, bytes, digests }: Wanted): Promise<Outcome | undefined> {
  const found = await lstat(target).catch(() => undefined);
  if (!found) return undefined;
  const other = (reason: string) =>
    new UnitscopeError('io', `'${target}' is there already and ${reason}`, { file: target }, 'it is left as it is: move it away, or give another folder with --out');
  if (!found.isFile()) throw other('is no ordinary file');
  if (bytes !== undefined && found.size !== bytes) throw other(`is another file: it has ${found.size} bytes, not ${bytes}`);
  const hash = (await digestFile(target, digests).catch((cause: unknown) => Promise.reject(ioFault('read', target, cause)))).finish();
  if (!hash.fits) throw other(`is another file: its ${HASH_NAME[hash.algorithm]} is ${hash.value}`);
  return { how: 'already there', bytes: found.size, checked: checkedBy({ bytes, digests }, hash.algorithm), hash: `${HASH_NAME[hash.algorithm]} ${hash.value}` };
}

function checkedBy({ bytes, digests }: Pick<Wanted, 'bytes' | 'digests'>, algorithm: keyof typeof HASH_NAME): string {
  return Object.keys(digests).length > 0 ? HASH_NAME[algorithm] : bytes !== undefined ? 'size' : '';
}

interface Transferred {
  readonly digester: Digester;
  readonly resumed: boolean;
  /** The first bytes that came, to say what they are where they are wrong. */
  readonly first: Uint8Array;
}

/** Asks one address for what is missing and writes it. Throws RemoteFault, 'io', 'aborted'. */
async function transfer(wanted: Wanted, part: Part, url: string, rules: Rules, report: Report): Promise<Transferred> {
  const { bytes, digests } = wanted;
  let have = await part.size();
  const origin = await part.origin();
  const known = Object.keys(digests).length > 0;
  const sameOrigin = origin?.url === url;
  // Without a hash only the server can tell whether the rest belongs to what is here.
  if (have > (bytes ?? MAX_BYTES) || (have > 0 && !known && !sameOrigin)) {
    await part.remove();
    have = 0;
  }
  if (have > 0 && have === bytes && known) return { digester: await digestFile(part.path, digests, rules.signal), resumed: true, first: new Uint8Array() };

  const range = have > 0 ? { range: `bytes=${have}-`, ...(sameOrigin && { 'if-range': origin.validator }) } : undefined;
  const answer = await request(url, range ?? {}, rules);
  try {
    const total = totalOf(answer, have);
    if (bytes !== undefined && total !== undefined && total !== bytes) throw new RemoteFault(`the file there has ${total} bytes, the catalog says ${bytes}`);
    if ((total ?? 0) > MAX_BYTES) throw new RemoteFault(`the file there has ${binary(total!)}`);
    const resumed = answer.status === 206;
    const digester = resumed ? await digestFile(part.path, digests, rules.signal) : new Digester(digests);
    const first = await write(answer, part, digester, { fresh: !resumed, origin: originOf(answer, url), end: total ?? bytes, report });
    const end = total ?? bytes;
    if (end !== undefined && digester.bytes < end) throw new RemoteFault(`the connection ended after ${digester.bytes} of ${end} bytes`, 'cut');
    return { digester, resumed, first };
  } finally {
    answer.close();
  }
}

/** The size of the whole file, where the answer says it. Throws RemoteFault for an answer that is no file. */
function totalOf({ status, headers }: Answer, have: number): number | undefined {
  if (status === 200) {
    const length = headers.get('content-length');
    return length === null || headers.get('content-encoding') ? undefined : Number(length);
  }
  if (status === 206) {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(start) !== have || have === 0) throw new RemoteFault('it sends another part than the one asked for', 'wrong');
    return total === '*' ? undefined : Number(total);
  }
  if (status === 416) throw new RemoteFault('what is here is no part of the file there', 'wrong');
  const meaning: Readonly<Record<number, string>> = { 401: ': it wants a password', 403: ': it refuses us', 404: ': the file is not there', 410: ': the file is gone', 429: ': too many requests, try later', 503: ': it is too busy, try later' };
  throw new RemoteFault(`the answer is ${status}${meaning[status] ?? ''}`);
}

/** What If-Range takes: a strong ETag, else a date. */
function originOf({ headers }: Answer, url: string): Origin | undefined {
  const etag = headers.get('etag');
  const validator = etag && !etag.startsWith('W/') ? etag : headers.get('last-modified');
  return validator ? { url, validator } : undefined;
}

async function write(
  answer: Answer,
  part: Part,
  digester: Digester,
  { fresh, origin, end, report }: { fresh: boolean; origin: Origin | undefined; end: number | undefined; report: Report },
): Promise<Uint8Array> {
  const file = await part.open(fresh, origin);
  const limit = end ?? MAX_BYTES;
  let first: Uint8Array = new Uint8Array();
  try {
    report(digester.bytes, end);
    for await (const piece of answer.pieces) {
      if (first.length === 0) first = piece.slice(0, 64);
      if (digester.bytes + piece.length > limit) throw new RemoteFault(`it sends more than the ${limit} bytes of the file`, 'wrong');
      await file.appendFile(piece).catch((cause: unknown) => Promise.reject(ioFault('write', part.path, cause, 'what has come is kept: make room, and the same command goes on from there')));
      digester.update(piece);
      report(digester.bytes, end);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return first;
}

/** The finished file against what the catalog says of it. Throws RemoteFault where it is another one. */
function judge(wanted: Wanted, digester: Digester, how: Outcome['how'], first: Uint8Array): Outcome {
  const { bytes } = digester;
  const { algorithm, value, fits } = digester.finish();
  const nothingKnown = wanted.bytes === undefined && Object.keys(wanted.digests).length === 0;
  if (nothingKnown && recogniseContent(first)?.placeholder) throw new RemoteFault(`it sends ${describeContent(first)} in place of the file`, 'wrong');
  const content = how === 'downloaded' && first.length > 0 ? `; it is ${describeContent(first)}` : '';
  if (wanted.bytes !== undefined && bytes !== wanted.bytes) throw new RemoteFault(`the file there has ${bytes} bytes, the catalog says ${wanted.bytes}${content}`, 'wrong');
  if (!fits) throw new RemoteFault(`this is another file: its ${HASH_NAME[algorithm]} is ${value}, the catalog says ${wanted.digests[algorithm]!}${content}`, 'wrong');
  return { how, bytes, checked: checkedBy(wanted, algorithm), hash: `${HASH_NAME[algorithm]} ${value}` };
}

