/** The pictures that a command goes through: a folder, or scenes. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { hashBytes, SCENE_SIZES, scenePictures, type Engine, type Picture, type PictureSet } from '../../index.ts';
import type { Call, Option } from './command.ts';
import { ioFault } from './files.ts';
import { isPictureName, readPicture } from './picture.ts';
import { countOf } from './value.ts';

export const PICTURE_SET_OPTIONS: Readonly<Record<string, Option>> = {
  images: { type: 'text', value: 'FOLDER', summary: 'pictures to go through; the folders in it, where it has some, are their classes' },
  scenes: { type: 'text', value: 'N', summary: 'in place of a folder: N drawn scenes of every class' },
  'scene-seed': { type: 'text', value: 'S', summary: 'seed of the first scene of a class', default: '0' },
};

/**
 * What --images or --scenes name, before a GPU is asked for: scenes are drawn by the engine that is given then.
 * @returns `size`: side of a scene in pixels, as near to it as scenes can be drawn
 */
export async function pictureSetOf(call: Call): Promise<(engine: Engine, size: number) => PictureSet> {
  const { images, scenes } = call.values;
  if ((images === undefined) === (scenes === undefined)) {
    throw new UnitscopeError('usage', images === undefined ? 'no pictures are given' : 'give --images or --scenes, not both', {}, 'name them with --images FOLDER, or draw some with --scenes N');
  }
  if (images !== undefined) {
    const set = await folderPictures(images);
    return () => set;
  }
  const count = countOf('scenes', scenes!, 1, 100000);
  const seed = countOf('scene-seed', call.values['scene-seed']!, 0, 2 ** 32 - count);
  return (engine, size) => scenePictures(engine, { count, seed, size: Math.min(Math.max(size, SCENE_SIZES.least), SCENE_SIZES.most) });
}

interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
}

/** The pictures of a folder and, as classes, of the folders in it; by name. @throws io, usage where there are none */
export async function folderPictures(path: string): Promise<PictureSet> {
  const own = await entriesOf(path);
  const files = (folder: string, entries: readonly Entry[], label?: number): Picture[] =>
    entries
      .filter(({ name, kind }) => kind === 'file' && isPictureName(name))
      .map(({ name }) => ({ name: folder === '' ? name : `${folder}/${name}`, ...(label !== undefined && { label }), read: () => readPicture(join(path, folder, name)) }));
  const loose = files('', own);
  const nested: Picture[] = [];
  const labels: string[] = [];
  for (const { name, kind } of own) {
    if (kind !== 'folder') continue;
    const pictures = files(name, await entriesOf(join(path, name)), labels.length);
    if (pictures.length === 0) continue;
    nested.push(...pictures);
    labels.push(name);
  }
  if (loose.length + nested.length === 0) throw new UnitscopeError('usage', `'${path}' has no pictures`, { file: path }, 'formats: png, jpeg, webp, gif, tiff, avif, heic');
  return { labels, pictures: [...loose, ...nested] };
}

/** What is in a folder by name, but for what is hidden. Links are what they lead to. */
async function entriesOf(folder: string): Promise<Entry[]> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
    return await Promise.all(
      entries.map(async (entry) => {
        // A link that leads nowhere stays a file, so that its name is told when it cannot be read.
        const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
        return { name: entry.name, kind: !target || target.isFile() ? 'file' : target.isDirectory() ? 'folder' : 'other' } as const;
      }),
    );
  } catch (cause) {
    throw ioFault('read', folder, cause);
  }
}

/** Which pictures a job is about. */
export async function setFacts({ values }: Call, { pictures }: PictureSet): Promise<{ pictures: number; names: string; seed: number }> {
  const names = await hashBytes(new TextEncoder().encode(pictures.map(({ name }) => name).join('\n')));
  return { pictures: pictures.length, names, seed: values.scenes === undefined ? 0 : Number(values['scene-seed']) };
}
