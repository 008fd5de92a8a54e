/** Where several pictures go: all on one sheet, or a file for each. */
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { createImage, sheet, type Image } from '../../index.ts';
import { checkTarget, fileNames, isFolder } from './files.ts';

/** A picture file to write, and which pictures are on it. */
export interface PictureTarget {
  readonly path: string;
  readonly pictures: readonly number[];
}

/** Of a picture that could not be made. */
const BLANK = [16, 16, 20] as const;

/**
 * @param out FILE.png for a sheet, folder/ for one file each
 * @param names of the pictures
 * @throws usage, io: before any work
 */
export async function pictureTargets(out: string | undefined, names: readonly string[]): Promise<PictureTarget[]> {
  if (out === undefined) throw new UnitscopeError('usage', 'no file is given', {}, 'name one with --out FILE.png');
  if (await isFolder(out)) return fileNames(names, '.png').map((file, n) => ({ path: join(out, file), pictures: [n] }));
  await checkTarget(out, '.png');
  return [{ path: out, pictures: names.map((_, n) => n) }];
}

/** One picture, or a sheet of them; undefined where none could be made. @param columns pictures of a row, where there are more than fit one */
export function composed(images: readonly (Image | undefined)[], columns: number): Image | undefined {
  const made = images.find((image) => image);
  if (!made || images.length === 1) return made;
  const cells = images.map((image) => image ?? createImage(made.width, made.height, BLANK));
  return sheet(cells, columns > 1 && images.length > columns ? { columns } : {});
}
