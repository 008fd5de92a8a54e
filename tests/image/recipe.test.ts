import { expect, test } from 'vitest';
import { hashBytes, parseRecipe, recipeText } from '../../src/image/recipe.ts';
import type { Recipe } from '../../src/image/recipe.ts';

const recipe: Recipe = {
  network: { name: 'squeezenet', hash: 'ab'.repeat(32) },
  method: 'maximize',
  units: ['conv10:130@6,6'],
  settings: { decay: 0.0001, blur: { radius: 1, every: 4 }, tags: ['a', null, true] },
  seed: 4294967295,
  iterations: 1000,
  adapter: 'llvmpipe (LLVM 15)',
  version: '0.1.0',
};

test('a recipe survives the way through text, unknown fields are dropped', () => {
  expect(parseRecipe(recipeText(recipe))).toEqual(recipe);
  expect(parseRecipe(JSON.stringify({ ...recipe, extra: 1 }))).toEqual(recipe);
});

test('equal recipes give equal text, whatever the order of their keys', () => {
  const { version, settings, ...rest } = recipe;
  const shuffled = { version, settings: Object.fromEntries(Object.entries(settings).reverse()), ...rest };
  expect(recipeText(shuffled)).toBe(recipeText(recipe));
});

test.each([
  ['recipe', null],
  ['recipe', []],
  ['network', { ...recipe, network: 'squeezenet' }],
  ['network.hash', { ...recipe, network: { name: 'x', hash: 'xyz' } }],
  ['method', { ...recipe, method: 7 }],
  ['units', { ...recipe, units: 'conv1:0' }],
  ['units[1]', { ...recipe, units: ['a', 2] }],
  ['seed', { ...recipe, seed: -1 }],
  ['seed', { ...recipe, seed: 2 ** 32 }],
  ['iterations', { ...recipe, iterations: 1.5 }],
  ['settings', { ...recipe, settings: [] }],
  ['adapter', { ...recipe, adapter: 'x'.repeat(1025) }],
  ['version', { ...recipe, version: undefined }],
])('a wrong %s is refused by name', (attribute, value) => {
  expect(() => parseRecipe(JSON.stringify(value))).toThrow(
    expect.objectContaining({ code: 'usage', address: { attribute } }),
  );
});

test('hostile text is refused or stays harmless', () => {
  expect(() => parseRecipe('{')).toThrow(/no valid JSON/);
  expect(() => parseRecipe('x'.repeat(70000))).toThrow(/longer/);
  let deep = '1';
  for (let i = 0; i < 20; i++) deep = `[${deep}]`;
  expect(() => parseRecipe(JSON.stringify(recipe).replace('0.0001', deep))).toThrow(/nested deeper/);
  const text = recipeText(recipe).replace('"decay"', '"__proto__":{"polluted":true},"decay"');
  expect(Object.keys(parseRecipe(text).settings)).toContain('__proto__');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('settings that JSON cannot hold are refused on writing', () => {
  expect(() => recipeText({ ...recipe, settings: { decay: NaN } })).toThrow(/settings.decay cannot be NaN/);
});

test('SHA-256 of the standard example, of a view too', async () => {
  const abc = new TextEncoder().encode('xabcx').subarray(1, 4);
  expect(await hashBytes(abc)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
