/** A server for files on this machine that can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';

export interface Hosted {
  readonly bytes: Uint8Array;
  /** ETag; without one there is a date. */
  readonly etag?: string;
  /** The server knows no ranges. */
  readonly whole?: boolean;
  /** Cuts the connection after so many bytes of an answer. */
  readonly cut?: number;
  /** How many answers are cut; all, when it is absent. */
  cuts?: number;
  /** Stays silent after so many bytes of an answer; -1 is before the headers. */
  readonly stall?: number;
  /** Sends us on. */
  readonly location?: string;
  readonly status?: number;
  /** Content-Length is not told. */
  readonly chunked?: boolean;
}

export interface Asked {
  readonly url: string;
  readonly range?: string;
  readonly ifRange?: string;
  readonly status: number;
}

export interface FileServer {
  /** http://127.0.0.1:PORT */
  readonly address: string;
  /** What lies there, by path. */
  readonly files: Map<string, Hosted>;
  /** What was asked for, in order. */
  readonly asked: Asked[];
}

/** The server of a test file, empty at the start of every test. */
export function useFileServer(): FileServer {
  const files = new Map<string, Hosted>();
  const asked: Asked[] = [];
  const server = createServer((message, answer) => respond(message, answer, files, asked));
  const result = { address: '', files, asked };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    result.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    files.clear();
    asked.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return result;
}

function respond({ url = '', headers }: IncomingMessage, answer: ServerResponse, files: ReadonlyMap<string, Hosted>, asked: Asked[]): void {
  const { range, 'if-range': ifRange } = headers as Record<string, string | undefined>;
  const note = (status: number) => asked.push({ url, status, ...(range && { range }), ...(ifRange && { ifRange }) });
  const file = files.get(url);
  if (!file) return void (note(404), answer.writeHead(404).end('nothing here'));
  if (file.location !== undefined) return void (note(302), answer.writeHead(302, { location: file.location }).end());
  if (file.status !== undefined) return void (note(file.status), answer.writeHead(file.status).end());
  if (file.stall === -1) return void note(0);
  const date = 'Mon, 01 Jan 2024 00:00:00 GMT';
  const validator = file.etag ?? date;
  const [, from] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
  const partial = from !== undefined && !file.whole && (ifRange === undefined || ifRange === validator);
  const start = partial ? Number(from) : 0;
  if (partial && start >= file.bytes.length) return void (note(416), answer.writeHead(416).end());
  const body = file.bytes.subarray(start);
  note(partial ? 206 : 200);
  answer.writeHead(partial ? 206 : 200, {
    ...(file.etag ? { etag: file.etag } : { 'last-modified': date }),
    ...(!file.chunked && { 'content-length': body.length }),
    ...(partial && { 'content-range': `bytes ${start}-${file.bytes.length - 1}/${file.bytes.length}` }),
  });
  const stop = file.stall ?? (file.cut !== undefined && (file.cuts ?? 1) > 0 ? file.cut : undefined);
  if (stop === undefined || stop >= body.length) return void answer.end(body);
  if (file.cuts !== undefined) file.cuts--;
  answer.write(body.subarray(0, stop), () => {
    // What a stream holds is lost when it breaks: time to read it.
    if (file.stall === undefined) setTimeout(() => answer.destroy(), 100);
  });
}
