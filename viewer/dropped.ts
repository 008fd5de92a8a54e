/** What is dropped onto the page, as files. */
import { UnitscopeError } from '../src/index.ts';

/** Most files of a folder: one with more holds no network. */
const MOST_FILES = 1000;

/** A part of what is dropped, as far as it is used; a folder can be listed, a file read. */
type Item = Pick<DataTransferItem, 'webkitGetAsEntry'>;

/**
 * The files that are dropped; a folder stands for the files in it, not for folders in that. To be called within the
 * event: a browser forgets what was dropped once it is over.
 */
export async function droppedFiles(items: Iterable<Item>, files: Iterable<File>): Promise<File[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry());
  const single = [...files];
  if (!entries.some((entry) => entry?.isDirectory)) return single;
  const found = await Promise.all(entries.map((entry) => (entry?.isDirectory ? filesIn(entry as FileSystemDirectoryEntry) : entry ? [entry as FileSystemFileEntry] : [])));
  return Promise.all(found.flat().map((entry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))));
}

/** Ordinary files; a reader gives them in portions, an empty one is the last. */
async function filesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemFileEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemFileEntry[] = [];
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return found;
    found.push(...portion.filter(({ isFile, name }) => isFile && !name.startsWith('.')) as FileSystemFileEntry[]);
    if (found.length > MOST_FILES) throw new UnitscopeError('usage', `the folder '${folder.name}' has more than ${MOST_FILES} files`, {}, 'drop the files of one network');
  }
}
