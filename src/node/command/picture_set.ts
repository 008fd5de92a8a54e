/** The pictures that a command goes through: a folder, or scenes. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { scenePictures, type Engine, type Picture, type PictureSet } from '../../index.ts';
import type { Call, Option } from './command.ts';
import { ioFault } from './files.ts';
import { isPictureName, readPicture } from './picture.ts';
import { countOf } from './value.ts';

export const PICTURE_SET_OPTIONS: Readonly<Record<string, Option>> = {
  images: { type: 'text', value: 'FOLDER', summary: 'pictures to go through; the folders in it, where it has some, are their classes' },
  scenes: { type: 'text', value: 'N', summary: 'in place of a folder: N drawn scenes of every class' },
  'scene-seed': { type: 'text', value: 'S', summary: 'seed of the first scene of a class', default: '0' },
};

/** What --images or --scenes name, before a GPU is asked for: scenes are drawn by the engine that is given then. */
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
  return (engine, size) => scenePictures(engine, { count, seed, size });
}

/** The pictures of a folder and, as classes, of the folders in it; by name. @throws io, usage where there are none */
export async function folderPictures(path: string): Promise<PictureSet> {
  const own = await entriesOf(path);
  const folders = own.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const files = async (folder: string, entries: Awaited<ReturnType<typeof entriesOf>>, label?: number): Promise<Picture[]> =>
    entries
      .filter((entry) => entry.isFile() && isPictureName(entry.name))
      .map(({ name }) => ({ name: join(folder, name), ...(label !== undefined && { label }), read: () => readPicture(join(path, folder, name)) }));
  const loose = await files('', own);
  const nested: Picture[] = [];
  const labels: string[] = [];
  for (const folder of folders) {
    const pictures = await files(folder, await entriesOf(join(path, folder)), labels.length);
    if (pictures.length === 0) continue;
    nested.push(...pictures);
    labels.push(folder);
  }
  if (loose.length + nested.length === 0) throw new UnitscopeError('usage', `'${path}' has no pictures`, { file: path }, 'formats: png, jpeg, webp, gif, tiff, avif, heic');
  return { labels, pictures: [...loose, ...nested] };
}

async function entriesOf(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw ioFault('read', folder, cause);
  }
}
