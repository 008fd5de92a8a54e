/** Objectives as text: what every form means, and what a mistake is told. */
import { describe, expect, test } from 'vitest';
import type { Objective, Term } from '../../../src/methods/objectives/objective.ts';
import { parseObjective } from '../../../src/methods/objectives/text.ts';
import type { Network } from '../../../src/network/network.ts';
import { convolution, network, node } from '../../scheduler/networks.ts';

const net: Network = network({ x: [1, 3, 7, 9] }, [
  convolution('conv1', 'x', [4, 3, 3], 1),
  node('/features/relu-1', 'relu', ['conv1.y']),
  convolution('conv 2', '/features/relu-1.y', [2, 4, 3], 2),
  node('unit', 'relu', ['conv 2.y']),
  node('conv2:1', 'relu', ['unit.y']),
]);

const vector = (file: string): Promise<Float32Array> => Promise.resolve(Float32Array.from(file === 'four.npy' ? [1, 2, 3, 4] : [1]));

/** A term as one line: the values only where they are not one channel. */
function line({ kind, layer, weight, values, place, power }: Term): string {
  const hot = values && values.reduce((sum, value) => sum + value, 0) === 1 ? `:${values.indexOf(1)}` : values ? `<${values.join(' ')}>` : '';
  return `${weight} ${kind} ${layer}${hot}${place === undefined ? '' : `@${place}`}${power ? `^${power}` : ''}`;
}
const lines = ({ terms }: Objective): string[] => terms.map(line);

describe('an objective', () => {
  test.each<[text: string, terms: string[]]>([
    ['conv1:2', ['1 direction conv1:2@31']],
    ['conv1:2@0,8', ['1 direction conv1:2@8']],
    ['conv1.y:2@0,8', ['1 direction conv1:2@8']],
    ['conv1', ['1 energy conv1']],
    ['  channel   conv1:3 ', ['1 direction conv1:3']],
    ['unit conv1:2', ['1 direction conv1:2@31']],
    ['layer conv1', ['1 energy conv1']],
    ['unit', ['1 energy unit']],
    ['unit:1', ['1 direction unit:1@31']],
    ['layer unit', ['1 energy unit']],
    ['conv2:1', ['1 energy conv2:1']],
    ['conv2:1:0', ['1 direction conv2:1:0@31']],
    ["'conv 2':1", ['1 direction conv 2:1@31']],
    ['channel "conv 2:1"', ['1 direction conv 2:1']],
    ['/features/relu-1:0', ['1 direction /features/relu-1:0@31']],
    ['direction conv1 four.npy', ['1 direction conv1<1 2 3 4>']],
    ['direction^2 conv1@centre four.npy', ['1 direction conv1<1 2 3 4>@31^2']],
    ['direction conv1@6,0 four.npy', ['1 direction conv1<1 2 3 4>@54']],
    ['diversity conv1', ['1 diversity conv1']],
    ['conv1:1 + 0.5*conv1:3 - unit:0', ['1 direction conv1:1@31', '0.5 direction conv1:3@31', '-1 direction unit:0@31']],
    ['- 2 * conv1 + -.5e1* channel conv1:0 - 3*unit', ['-2 energy conv1', '-5 direction conv1:0', '-3 energy unit']],
    ['2*direction^1.5 conv1 four.npy + 10*diversity unit', ['2 direction conv1<1 2 3 4>^1.5', '10 diversity unit']],
  ])('%s', async (text, terms) => {
    expect(lines(await parseObjective(net, text, vector))).toEqual(terms);
  });

  test.each<[text: string, message: string | RegExp]>([
    ['', 'nothing to climb at character 1'],
    ['+ conv1', 'nothing to climb at character 1'],
    ['conv1 +', 'nothing to climb at character 8'],
    ['conv1 - + unit', 'nothing to climb at character 9'],
    ['2*', 'nothing to climb at character 3'],
    ['2*3*conv1', 'a second factor at character 3'],
    ['conv1 unit', "'unit' where + or - is expected at character 7"],
    ['conv1 * unit', "'*' where + or - is expected at character 7"],
    ['channel conv1:1 2*unit', "where + or - is expected at character 17"],
    ['direction conv1', "too little behind 'direction'"],
    ["unit + 'conv 2:1", "an open ' at character 8"],
    ['channel^2 conv1:1', "an exponent '2' that cannot be at character 1"],
    ['direction^-1 conv1 four.npy', "an exponent '-1' that cannot be"],
    ['conv1 + conv1:4', /'conv1:4' lies outside layer 'conv1' \(objective, character 9\)/],
    ['channel conv1:1@2,2', /names a place, a channel has none \(objective, character 9\)/],
    ['direction conv1 one.npy', /has 4 numbers, one per channel; this one has 1/],
    ['direction conv1@7,0 four.npy', /7,0 lies outside the map of 'conv1'/],
    ['x'.repeat(5000), 'longer than 4096 characters'],
    [Array(40).fill('conv1').join(' + '), 'at most 32 terms'],
  ])('%s is refused', async (text, message) => {
    const error = (await parseObjective(net, text, vector).catch((cause: unknown) => cause)) as { code: string; message: string };
    expect(error.code).toBe('usage');
    expect(error.message).toMatch(message);
  });

  test('a name that is not there is told with its place and the nearest ones', async () => {
    await expect(parseObjective(net, 'unit + 2*con1:3')).rejects.toMatchObject({
      code: 'unknown-layer',
      message: "the network has no layer 'con1' (objective, character 10)",
      hint: expect.stringContaining("'conv1'") as string,
    });
  });

  test('files are refused where none can be read', async () => {
    await expect(parseObjective(net, 'direction conv1 four.npy')).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining("'four.npy'") as string });
  });
});
