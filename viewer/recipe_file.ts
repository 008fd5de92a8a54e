/** Pictures with their recipe: saving one, and going back to what one was made of. */
import {
  encodePng, hashBytes, parseRecipe, parseUnit, readPngText, RECIPE_KEYWORD, recipeText,
  type NamedFile, type Recipe, type Unit,
} from '../src/index.ts';
import { version } from '../package.json';
import type { Climb } from './climb.ts';
import { saveFile } from './picture.ts';
import type { LoadedNetwork, Notice, State } from './state.ts';

/** SHA-256 of the files of a network, one after the other by name: of one file, its own. */
export function hashOf(files: readonly NamedFile[]): Promise<string> {
  if (files.length === 1) return hashBytes(files[0]!.bytes); // a large file is not copied
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

/** The unit whose preferred input a recipe makes with this network; or why this page cannot make it again. */
export function unitOf({ network, method, units, settings }: Recipe, loaded: LoadedNetwork | undefined): Unit | Omit<Notice, 'id'> {
  const shown = 'Here it is shown as a picture.';
  if (network.hash !== loaded?.hash || method !== 'maximize' || units.length !== 1) {
    return { kind: 'info', title: `This picture was made of ${network.name}`, text: `Open that network first to follow its recipe. ${shown}` };
  }
  const unit = parseUnit(loaded.network, units[0]!);
  const centre = parseUnit(loaded.network, `${unit.layer}:${unit.channel}`);
  const { start = 'mean_plus_rand', seeds } = settings as { start?: unknown; seeds?: unknown };
  if (unit.y === centre.y && unit.x === centre.x && start === 'mean_plus_rand' && seeds === undefined) return unit;
  return { kind: 'info', title: 'This picture was made in a way that this page does not offer', text: `Another place of the map, start image or several seeds. ${shown}` };
}
