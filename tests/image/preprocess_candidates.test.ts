import { describe, expect, test } from 'vitest';
import { checkPreprocess, preprocessCandidates, PREPROCESS_PRESETS, type Preprocess } from '../../src/index.ts';

const key = ({ channels, range, mean, std, fit }: Preprocess) => JSON.stringify([channels, range, mean, std, fit]);

describe('the ways that are worth trying', () => {
  const ways = preprocessCandidates(3);

  test('can all be used, and none stands there twice', () => {
    for (const { preprocess } of ways) checkPreprocess(preprocess, 3);
    expect(ways).toHaveLength(32);
    expect(new Set(ways.map(({ preprocess }) => key(preprocess))).size).toBe(32);
  });

  test('have all the presets of three channels among them, by name', () => {
    for (const name of ['imagenet', 'caffe', 'signed', 'unit', 'raw'] as const) {
      const found = ways.filter(({ preset }) => preset === name);
      expect(found.map(({ preprocess }) => preprocess.fit)).toEqual(['crop', 'stretch']);
      expect({ ...found[0].preprocess, range: PREPROCESS_PRESETS[name].range }).toEqual(PREPROCESS_PRESETS[name]);
    }
    expect(ways.filter(({ preset }) => preset)).toHaveLength(10);
  });

  test('keep every mean with its colour, whatever the order', () => {
    const means = ways.filter(({ scale }) => scale === '0..255, Caffe mean').map(({ preprocess }) => [preprocess.channels, preprocess.mean]);
    expect(means).toEqual([['RGB', [123, 117, 104]], ['RGB', [123, 117, 104]], ['BGR', [104, 117, 123]], ['BGR', [104, 117, 123]]]);
  });

  test('of one fit are half as many', () => expect(preprocessCandidates(3, undefined, ['stretch']).map(({ preprocess }) => preprocess.fit)).toEqual(new Array(16).fill('stretch')));

  test('for a gray picture', () => {
    const gray = preprocessCandidates(1);
    for (const { preprocess } of gray) checkPreprocess(preprocess, 1);
    expect(gray.filter(({ preset }) => preset).map(({ preset }) => preset)).toEqual(['gray-unit', 'gray-unit', 'gray-raw', 'gray-raw']);
  });

  test('no picture has four channels', () => expect(() => preprocessCandidates(4)).toThrow(/1 or 3 channels/));
});

describe('what the model states', () => {
  test('takes the place of the usual way that is like it', () => {
    const stated: Preprocess = { channels: 'BGR', range: 255, mean: [103.939, 116.779, 123.68], std: [1, 1, 1], fit: 'crop' };
    const ways = preprocessCandidates(3, stated);
    expect(ways).toHaveLength(32);
    expect(ways.filter(({ stated: own }) => own)).toEqual([{ preprocess: stated, scale: '0..255, Caffe mean', preset: 'caffe', stated: true }]);
  });

  test('stands there with its channels turned round, where it is like none', () => {
    const stated: Preprocess = { channels: 'RGB', range: 1, mean: [0.2, 0.3, 0.4], std: [0.1, 0.2, 0.3], fit: 'stretch' };
    const ways = preprocessCandidates(3, stated, ['crop']);
    expect(ways).toHaveLength(18);
    expect(ways[0]).toMatchObject({ stated: true, scale: '0..1, mean 0.2 0.3 0.4, std 0.1 0.2 0.3', preprocess: { ...stated, fit: 'crop' } });
    expect(ways[1]).toMatchObject({ stated: false, preprocess: { channels: 'BGR', mean: [0.4, 0.3, 0.2], std: [0.3, 0.2, 0.1] } });
  });
});
