/** Folders of pictures as sets, and what commands say of wrong ones. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createImage, encodePng, type PictureSet } from '../../../src/index.ts';
import type { Call } from '../../../src/node/command/command.ts';
import { folderPictures, pictureSetOf } from '../../../src/node/command/picture_set.ts';
import { useFolder } from './program.ts';

const folder = useFolder();

/** Writes files (or makes folders, where a name ends with /), pictures of `side` pixels. */
async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    if (name.endsWith('/')) mkdirSync(folder(name), { recursive: true });
    else writeFileSync(folder(name), await encodePng(createImage(name.length, 1, [1, 2, 3])));
  }
}

const named = ({ pictures, labels }: PictureSet): string[] => pictures.map(({ name, label }) => `${name}${label === undefined ? '' : ` ${labels[label]}`}`);

test('folders are classes, by name; what is no picture, hidden or empty is passed over', async () => {
  await put('set/b/', 'set/a/deeper/', 'set/empty/', 'set/.hidden/', 'set/b/2.png', 'set/b/10.png', 'set/b/notes.txt', 'set/a/x.JPG', 'set/a/.y.png', 'set/a/deeper/z.png', 'set/.hidden/h.png', 'set/loose.png');
  const set = await folderPictures(folder('set'));
  expect(set.labels).toEqual(['a', 'b']);
  expect(named(set)).toEqual(['loose.png', 'a/x.JPG a', 'b/10.png b', 'b/2.png b']);
  expect(await set.pictures[3]!.read()).toMatchObject({ width: 'set/b/2.png'.length, height: 1 });
});

test('links are what they lead to; one that leads nowhere is named when it is read', async () => {
  await put('linked/', 'elsewhere/', 'elsewhere/1.png', 'linked/own.png');
  symlinkSync(folder('elsewhere'), folder('linked/class'));
  symlinkSync(folder('elsewhere/1.png'), folder('linked/one.png'));
  symlinkSync(folder('nowhere.png'), folder('linked/zzz.png'));
  const set = await folderPictures(folder('linked'));
  expect(named(set)).toEqual(['one.png', 'own.png', 'zzz.png', 'class/1.png class']);
  expect(await set.pictures[0]!.read()).toMatchObject({ width: 'elsewhere/1.png'.length });
  await expect(set.pictures[2]!.read()).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/zzz\.png': it is not there/) as string });
});

test('a picture that is none is told by its own read', async () => {
  await put('broken/', 'broken/fine.png');
  writeFileSync(folder('broken/bad.png'), 'junk');
  const { pictures } = await folderPictures(folder('broken'));
  await expect(pictures[0]!.read()).rejects.toMatchObject({ code: 'image-decode', address: { file: folder('broken/bad.png') } });
  expect(await pictures[1]!.read()).toMatchObject({ height: 1 });
});

test('folders without pictures, and what is none', async () => {
  await put('bare/class/', 'bare/readme.txt', 'file.png');
  await expect(folderPictures(folder('bare'))).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/bare' has no pictures/) as string });
  await expect(folderPictures(folder('gone'))).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/it is not there/) as string });
  await expect(folderPictures(folder('file.png'))).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/no folder/) as string });
});

test('a command has a folder or scenes, and refuses both, neither, and numbers that are none', async () => {
  const of = (values: Record<string, string>) => pictureSetOf({ values: { 'scene-seed': '0', ...values } } as unknown as Call);
  await expect(of({})).rejects.toMatchObject({ code: 'usage', message: 'no pictures are given' });
  await expect(of({ images: 'x', scenes: '3' })).rejects.toMatchObject({ code: 'usage', message: 'give --images or --scenes, not both' });
  await expect(of({ scenes: '0' })).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/--scenes needs a whole number from 1/) as string });
  await expect(of({ scenes: '2', 'scene-seed': '4294967295' })).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/--scene-seed needs a whole number/) as string });
  const scenes = (await of({ scenes: '2', 'scene-seed': '7' }))(undefined as never, 8);
  expect(scenes.pictures).toHaveLength(32);
  expect(scenes.pictures[3]).toMatchObject({ name: 'fish/8', label: 1 });
  await put('one/', 'one/1.png');
  expect(named((await of({ images: folder('one') }))(undefined as never, 8))).toEqual(['1.png']);
});
