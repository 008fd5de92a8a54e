/** Pictures with their recipe: saving one, and going back to what one was made of. */
import { encodePng, parseRecipe, readPngText, RECIPE_KEYWORD, recipeText, hashBytes, type NamedFile, type Recipe } from '../src/index.ts';
import { version } from '../package.json';
import type { Climb } from './climb.ts';
import { saveFile } from './picture.ts';
import type { State } from './state.ts';

/** SHA-256 of the files of a network, one after the other by name: of one file, its own. */
export function hashOf(files: readonly NamedFile[]): Promise<string> {
  const ordered = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const whole = new Uint8Array(ordered.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let offset = 0;
  for (const { bytes } of ordered) {
    whole.set(bytes, offset);
    offset += bytes.length;
  }
  return hashBytes(whole);
}

/** Saves the preferred input as it is now. */
export async function savePicture(state: State, climb: Climb): Promise<void> {
  const picture = await climb.picture();
  if (!picture || !state.network) return;
  const { network, layer, unit, settings, seed, adapter, preprocess } = state;
  const recipe: Recipe = {
    network: { name: network.network.name, hash: network.hash },
    method: 'maximize',
    units: [`${layer}:${unit}`],
    settings: { ...settings, ...(preprocess && { preprocess: { ...preprocess } }) },
    seed,
    iterations: climb.state.step,
    adapter,
    version,
  };
  const bytes = await encodePng(picture, { [RECIPE_KEYWORD]: recipeText(recipe) });
  saveFile(`${network.network.name}-${layer}-${unit}-seed${seed}.png`.replace(/[^\w.-]+/g, '_'), bytes, 'image/png');
}

/** The recipe that a PNG carries, if it carries one. @throws usage where it is damaged */
export function recipeOf(bytes: Uint8Array): Recipe | undefined {
  if (bytes[0] !== 0x89 || bytes[1] !== 0x50) return undefined;
  const text = readPngText(bytes)[RECIPE_KEYWORD];
  return text === undefined ? undefined : parseRecipe(text);
}
