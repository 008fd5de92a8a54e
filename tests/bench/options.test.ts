import { describe, expect, test } from 'vitest';
import { parseOptions } from './options.ts';

describe('the options', () => {
  test('have defaults', () => {
    expect(parseOptions([])).toEqual({
      only: undefined, peers: ['ort', 'tfjs', 'jax'], samples: 7, quick: false, full: false, scaling: false, json: 'dist/bench/bench.json',
    });
    expect(parseOptions(['--quick', '--peers', 'none'])).toMatchObject({ samples: 3, peers: [] });
    expect(parseOptions(['--samples', '1', '--peers', 'wasm,ort'])).toMatchObject({ samples: 1, peers: ['wasm', 'ort'] });
  });

  test('leave the peers out of the rows about scaling, unless they are asked for', () => {
    expect(parseOptions(['--scaling'])).toMatchObject({ scaling: true, peers: [] });
    expect(parseOptions(['--scaling', '--peers', 'jax']).peers).toEqual(['jax']);
  });

  test.each([[['--samples', '0']], [['--samples', 'x']], [['--peers', 'torch']], [['--only', '(']], [['--fast']], [['--quick', '--full']], [['--scaling', '--full']]])(
    'refuse %s',
    (args) => expect(() => parseOptions(args)).toThrow(),
  );
});
