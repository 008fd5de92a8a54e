/** A bug that is planted in kernels by their text. */
import { expect } from 'vitest';

export type Mutate = (code: string) => string;

/** Fails unless the text is in a kernel and what replaces it is seen; a write past an end is seen as well. */
export async function expectCaught(check: (mutate: Mutate) => Promise<string[]>, find: string, replace: string): Promise<void> {
  let changed = false;
  const mutate: Mutate = (code) => {
    changed ||= code.includes(find);
    return code.replaceAll(find, replace);
  };
  const found = await check(mutate).catch((error: Error) => {
    if (!error.message.includes('past the end')) throw error;
    return [error.message];
  });
  expect(changed, `'${find}' is in no kernel`).toBe(true);
  expect(found, `'${replace}' for '${find}' was not noticed`).not.toEqual([]);
}
