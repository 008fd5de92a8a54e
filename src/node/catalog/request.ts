/** One request for a file: which hosts may answer, how long they may be silent, and where they may send us on to. */
import { throwIfAborted } from '../../errors.ts';
import { RemoteFault } from './remote_fault.ts';

export interface Rules {
  /** Hosts (`example.org`, or `.example.org` for all below) that the first one may send us on to. */
  readonly hosts: readonly string[];
  /** Whether plain http will do; never on the way to another host. */
  readonly plain: boolean;
  /** Longest silence, ms. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The pieces of the body as they come. Throws RemoteFault when they stop coming. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Lets the connection go; whatever is not read yet is lost. */
  close(): void;
}

const MAX_REDIRECTS = 5;

/** Asks for a file and follows where it is sent. Throws RemoteFault with the reason in words, and 'aborted'. */
export async function request(address: string, headers: Readonly<Record<string, string>>, rules: Rules): Promise<Answer> {
  const first = new URL(address);
  let url = first;
  for (let hops = 0; ; hops++) {
    const answer = await ask(url, headers, rules);
    if (![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    answer.close();
    const location = answer.headers.get('location') ?? '';
    if (!URL.canParse(location, url.href)) throw new RemoteFault('it sends us on to nowhere');
    url = new URL(location, url);
    refuseStrange(url, first, rules);
    if (hops === MAX_REDIRECTS) throw new RemoteFault(`it sends us on more than ${MAX_REDIRECTS} times`);
  }
}

/** Where we are sent must be safe and known. */
function refuseStrange(url: URL, first: URL, { hosts, plain }: Rules): void {
  const same = url.host === first.host;
  if (url.protocol !== 'https:' && !(plain && same && url.protocol === 'http:')) throw new RemoteFault(`it sends us on to '${url.href}', which is not https`);
  const known = same || hosts.some((host) => (host.startsWith('.') ? url.host.endsWith(host) : url.host === host));
  if (!known || url.username !== '' || url.password !== '') throw new RemoteFault(`it sends us on to '${url.host}', which the catalog does not know`);
}

async function ask(url: URL, headers: Readonly<Record<string, string>>, { patience, signal }: Rules): Promise<Answer> {
  const closing = new AbortController();
  const timer = setTimeout(() => closing.abort(), patience);
  const fault = (cause: unknown, kind: RemoteFault['kind']): RemoteFault => {
    throwIfAborted(signal);
    return new RemoteFault(closing.signal.aborted ? `it was silent for ${patience / 1000} s` : reasonOf(cause), kind);
  };
  let response: Response;
  try {
    // `identity`: a length and a range must count the bytes of the file, not of a compressed one.
    response = await fetch(url, { redirect: 'manual', headers: { 'accept-encoding': 'identity', ...headers }, signal: AbortSignal.any([closing.signal, signal]) });
  } catch (cause) {
    clearTimeout(timer);
    throw fault(cause, 'away');
  }
  const close = () => {
    clearTimeout(timer);
    closing.abort();
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of response.body ?? []) {
        timer.refresh();
        yield piece as Uint8Array;
      }
    } catch (cause) {
      throw fault(cause, 'cut');
    } finally {
      close();
    }
  }
  return { status: response.status, headers: response.headers, pieces: pieces(), close };
}

/** What went wrong below, in words: `fetch` itself only says that it failed. */
function reasonOf(error: unknown): string {
  const inner = (error as { cause?: unknown }).cause ?? error;
  const { code = '', message } = inner as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOTFOUND: 'there is no such host (or no network)',
    EAI_AGAIN: 'its name cannot be looked up (is there a network?)',
    ECONNREFUSED: 'it refuses the connection',
    ECONNRESET: 'the connection was cut',
    UND_ERR_SOCKET: 'the connection was cut',
    ETIMEDOUT: 'it does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
    EHOSTUNREACH: 'it cannot be reached',
    ENETUNREACH: 'it cannot be reached',
  };
  return words[code] ?? (message || code || 'the connection failed');
}
