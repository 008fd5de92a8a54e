/** What is dropped onto the page: files, and folders that stand for the files in them. */
import { expect, test } from 'vitest';
import { droppedFiles } from '../../viewer/dropped.ts';

interface Entry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
}

const fileEntry = (name: string): Entry => ({ name, isFile: true, isDirectory: false, file: (use: (file: File) => void) => use(new File([name], name)) }) as Entry;

/** A folder that is listed in portions, as browsers do. */
function folderEntry(name: string, children: readonly Entry[], portion = 3): Entry {
  let at = 0;
  const readEntries = (use: (entries: readonly Entry[]) => void): void => use(children.slice(at, (at += portion)));
  return { name, isFile: false, isDirectory: true, createReader: () => ({ readEntries }) } as Entry;
}

const dropped = (entries: readonly (Entry | null)[], files: readonly File[] = []): Promise<string[]> =>
  droppedFiles(entries.map((entry) => ({ webkitGetAsEntry: () => entry as FileSystemEntry | null })), files).then((found) => found.map(({ name }) => name));

test('files are taken as they come', async () => {
  const files = ['model.json', 'weights.bin'].map((name) => new File([name], name));
  expect(await dropped([fileEntry('model.json'), null], files)).toEqual(['model.json', 'weights.bin']);
  expect(await dropped([], files)).toEqual(['model.json', 'weights.bin']);
});

test('a folder stands for all files in it, however it is listed', async () => {
  const names = Array.from({ length: 55 }, (_, i) => `group${i + 1}-shard1of1`);
  const folder = folderEntry('tfjs', [...names, 'model.json', '.hidden'].map(fileEntry).concat(folderEntry('deeper', [fileEntry('other.onnx')])));
  expect(await dropped([folder, fileEntry('labels.txt')], [new File([], 'tfjs')])).toEqual([...names, 'model.json', 'labels.txt']);
});

test('a folder that can be no network is refused', async () => {
  const folder = folderEntry('home', Array.from({ length: 1001 }, (_, i) => fileEntry(`${i}`)), 100);
  await expect(dropped([folder])).rejects.toMatchObject({ code: 'usage', message: "the folder 'home' has more than 1000 files" });
});
