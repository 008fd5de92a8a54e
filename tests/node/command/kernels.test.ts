/** Kernels by name on the command line, and what was measured of them. */
import { describe, expect, test } from 'vitest';
import { call, example, start, useFolder } from './program.ts';

const folder = useFolder();
const fish = example('fish');

interface Steps {
  readonly steps: readonly { readonly label: string; readonly kernel: string; readonly variant?: string; readonly key?: string; readonly why?: string }[];
}

describe('wrong usage ends with 2 before any work, and says what would be right', () => {
  test.each<[string[], RegExp]>([
    [['classify', fish, '--kernel', 'winogrd'], /--kernel cannot be 'winogrd'[^]*did you mean winograd\?[^]*direct, winograd, shared, depthwise/],
    [['activations', fish, '--layer', 'conv1', '--kernel', ''], /the choices are direct, winograd/],
    [['gradient', fish, '--unit', 'conv3:1', '--kernel', 'winograd 9x9'], /--kernel cannot be/],
    [['maximize', '--unit', 'fc6:1', '--out', 'x.png', '--kernel', 'shared 1x1'], /--kernel cannot be/],
    [['plan', '--kernel', 'fast'], /the choices are direct/],
    [['inspect', '--kernel', 'direct'], /no option --kernel/],
    [['kernels', '--backward'], /--backward needs a network[^]*--tune MODEL/],
    [['kernels', '--tune', 'embedded', '--clear'], /not both/],
    [['kernels', '--tune', 'embedded', '--batch', '0'], /whole number from 1/],
    [['kernels', '--tune', 'embeded'], /no model 'embeded'/],
    [['kernels', 'embedded'], /unexpected 'embedded'/],
  ])('%j', async (words, message) => {
    const { exit, out, err } = await call(...words);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err.replaceAll('\n', ' ')).toMatch(message);
  });
});

describe('plan --kernel needs no GPU', () => {
  test.each(['direct', 'winograd', 'winograd 2x2', 'shared'])('%s', async (name) => {
    const { exit, out } = await call('plan', '--kernel', name, '--backward', 'gradient', '--json');
    expect(exit).toBe(0);
    const chosen = (JSON.parse(out) as Steps).steps.filter(({ key }) => key !== undefined);
    const forced = chosen.filter(({ why }) => why === 'asked for');
    expect(forced.length).toBeGreaterThan(0);
    for (const { variant } of forced) expect(variant!.startsWith(name)).toBe(true);
    for (const { key } of chosen) expect(key).toMatch(/^conv2d (forward|backward) n1 /);
    if (name === 'direct') expect(forced.length).toBe(chosen.length);
  });
});

test('the built program: a kernel that is asked for sees the same', async () => {
  const best = async (...words: string[]): Promise<string> => {
    const { exit, out, err } = await start(['classify', fish, '--top', '1', '--quiet', ...words]);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    return out;
  };
  expect(await best('--kernel', 'direct', '--no-tune')).toMatch(/fish/);
  expect(await best('--kernel', 'winograd 2x2')).toMatch(/fish/);
});

test('the built program measures a network, shows what it found, and forgets it', async () => {
  const environment = { TMPDIR: folder() }; // a cache of its own
  const kernels = async (...words: string[]): Promise<{ record: { measured: Record<string, { variant: string }> } | null; tuned?: { key: string; variant: string }[]; file: string }> => {
    const { exit, out, err } = await start(['kernels', ...words, '--json', '--quiet'], { environment });
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    return JSON.parse(out) as Awaited<ReturnType<typeof kernels>>;
  };
  await kernels('--clear');
  const { tuned, record } = await kernels('--tune', 'embedded');
  expect(tuned!.length).toBeGreaterThan(0);
  for (const { key, variant } of tuned!) expect(record!.measured[key]).toMatchObject({ variant });
  const shown = await kernels();
  expect(shown.record).toEqual(record);
  expect(shown.file.startsWith(folder())).toBe(true);

  const text = await start(['kernels'], { environment });
  expect(text.out).toMatch(/shapes? measured\n +shape +takes +time +others\n/);
  expect((await kernels('--clear')).record).toBeNull();
}, 300_000);
