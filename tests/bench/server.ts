/** Serves folders on 127.0.0.1 to the page of the benchmark, isolated so that WebAssembly may use threads. */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface Serving {
  readonly address: string;
  close(): void;
}

/** The longest prefix of an address decides the folder. */
function fileOf(mounts: Readonly<Record<string, string>>, path: string): string | undefined {
  const prefix = Object.keys(mounts).filter((candidate) => path.startsWith(candidate)).sort((a, b) => b.length - a.length)[0];
  if (prefix === undefined) return undefined;
  const inside = normalize(`/${path.slice(prefix.length) || 'index.html'}`);
  const file = join(mounts[prefix]!, inside);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/** @param mounts folders by the address that they appear under, each with slashes around it. */
export async function serve(mounts: Readonly<Record<string, string>>): Promise<Serving> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = fileOf(mounts, path);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (!file) {
      response.writeHead(404).end('not there; networks with trained weights need UNITSCOPE_DATA, the folder of the reference data');
      return;
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).on('error', () => response.destroy()).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
