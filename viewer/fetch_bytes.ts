/** Files of the page's own origin. */
import { UnitscopeError } from '../src/index.ts';

/** @throws io */
export async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    const file = url.replace(/^.*\//, '');
    throw new UnitscopeError('io', `a file of this page did not arrive: ${(cause as Error).message}`, { file }, 'check the connection and reload', { cause });
  }
}
