/** `unitscope gallery`: every method on one network and some pictures, on a page. */
import { readdir } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import { classify, type Network } from '../../index.ts';
import { readWords } from './arguments.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { fileNames } from './files.ts';
import { galleryPage, type Shown } from './gallery/page.ts';
import { linesOf, type Line, type Subjects } from './gallery/lines.ts';
import { KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { neededPreprocess, pictureTensor, PREPROCESS_OPTIONS, splitOperands } from './input.ts';
import { JobFolder } from './job_folder.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { PICTURE_SET_OPTIONS } from './picture_set.ts';
import { countOf } from './value.ts';

/** Options of the gallery that its commands get too, where they have them. */
const HANDED = ['preprocess', 'weights', 'architecture', 'labels', 'input-shape', 'kernel'] as const;
const HANDED_FLAGS = ['strict', 'no-tune'] as const;

/** Pictures of one folder that the page shows; the others are on the folder's own page. */
const MOST_SHOWN = 4;

export const gallery: Command = {
  name: 'gallery',
  summary: 'run every method on a network and some pictures, and show them on a page',
  operands: ['MODEL?', 'IMAGE...'],
  options: {
    out: { type: 'text', value: 'FOLDER', summary: 'where the pictures and index.html go; a gallery that was stopped goes on when it is given again' },
    ...PICTURE_SET_OPTIONS,
    iterations: { type: 'text', value: 'N', summary: 'iterations of pictures that climb', default: '200' },
    only: { type: 'text', value: 'WORD', summary: 'lines alone whose command or title has this word', repeats: true },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope gallery photo.png --scenes 20 --out gallery', 'all that can be asked of the embedded network'],
    ['unitscope gallery network.onnx cat.jpg cup.jpg --preprocess imagenet --images photos/ --out gallery', 'another network, two pictures, and a folder for methods that need many'],
    ['unitscope gallery network.onnx cat.jpg --preprocess imagenet --only attribute --out why', 'attribution alone'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out } = call.values;
    if (out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
    const iterations = countOf('iterations', call.values.iterations!, 1, 1e6);
    const { images, scenes } = call.values;
    if (images !== undefined && scenes !== undefined) throw new UnitscopeError('usage', 'give --images or --scenes, not both');
    const many = images !== undefined ? ['--images', images] : scenes !== undefined ? ['--scenes', scenes, '--scene-seed', call.values['scene-seed']!] : [];
    const { model, images: paths } = await splitOperands(call);
    if (paths.length === 0) throw new UnitscopeError('usage', 'IMAGE is missing');
    const { network, hash } = await loadModel(call, model);
    const folder = await JobFolder.open(out, JSON.stringify({ method: 'gallery', network: hash, images: paths, many, iterations, options: handed(call) }));
    const pictures = await namedPictures(call, network, paths);
    const lines = linesOf({ network, model, folder: out, pictures, many, iterations }).filter((line) => isAsked(line, call.lists.only));
    if (lines.length === 0) throw new UnitscopeError('usage', `--only ${call.lists.only.join(' --only ')} leaves nothing`);
    const shown = await runAll(call, folder, lines);
    const about = [`${network.name}, SHA-256 ${hash.slice(0, 16)}; ${paths.map((path) => basename(path)).join(', ')}.`, 'Every picture carries its recipe; below each stands the command that makes it again.'];
    await folder.write('index.html', galleryPage(network.name, about, [...shown.values()]));
    const failed = [...shown.values()].filter((one) => one.failed);
    return {
      data: { network: network.name, hash, lines: [...shown].map(([name, { title, line, failed: bad, pictures: files }]) => ({ name, title, line, failed: bad, files })), page: folder.file('index.html') },
      text: [
        `${shown.size - failed.length} of ${lines.length} are there`,
        ...table(failed.map(({ title, text }) => [title, text.split('\n')[0]])),
        `wrote ${folder.file('index.html')}`,
      ].join('\n'),
      exit: failed.length > 0 ? EXIT.failed : EXIT.ok,
    };
  },
};

const isAsked = ({ command, title }: Line, words: readonly string[]): boolean => words.length === 0 || words.some((word) => command.name === word || title.includes(word));

function handed({ values, flags }: Call): string[] {
  return [...HANDED.flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]])), ...HANDED_FLAGS.filter((name) => flags.has(name)).map((name) => `--${name}`)];
}

/** Names for files, and the class of each picture. */
async function namedPictures(call: Call, network: Network, paths: readonly string[]): Promise<Subjects['pictures']> {
  const way = neededPreprocess(call, network);
  const names = fileNames(paths.map((path) => basename(path, extname(path))), '');
  return withKernels(call, async (engine) => {
    const pictures: Subjects['pictures'][number][] = [];
    for (const [n, path] of paths.entries()) {
      const [[best]] = await classify(engine, network, await pictureTensor(path, network, way), { top: 1, signal: call.signal });
      pictures.push({ path, name: names[n], top: best.index });
    }
    return pictures;
  });
}

/** One line after another; what fails is shown as failed, what was done before is not done again. */
async function runAll(call: Call, folder: JobFolder, lines: readonly Line[]): Promise<Map<string, Shown>> {
  const shown = new Map<string, Shown>();
  for (const [n, line] of lines.entries()) {
    throwIfAborted(call.signal);
    const record = `${fileNames([line.name], '')[0]}.json`;
    const before = folder.has(record) ? (JSON.parse(new TextDecoder().decode(await folder.read(record))) as Shown) : undefined;
    call.progress.note(`${n + 1} of ${lines.length}: ${line.section}: ${line.title}`);
    const now = before && !before.failed ? before : await runLine(call, folder, line);
    if (call.signal.aborted) throwIfAborted(call.signal);
    if (now !== before) await folder.write(record, new TextEncoder().encode(`${JSON.stringify(now)}\n`));
    shown.set(line.name, now);
  }
  return shown;
}

async function runLine(call: Call, folder: JobFolder, { section, title, command, words, out }: Line): Promise<Shown> {
  const own = handed(call).filter((word, n, all) => {
    const option = word.startsWith('--') ? word : all[n - 1];
    return Object.hasOwn(command.options, option.slice(2));
  });
  const line = ['unitscope', command.name, ...words, ...own].map((word) => (/^[\w./:,=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
  const facts = { section, title, line };
  try {
    const { text, exit = EXIT.ok } = await command.run({ ...readWords(command, [...words, ...own]), signal: call.signal, progress: call.progress, warn: call.warn });
    return { ...facts, text, failed: exit !== EXIT.ok, ...(await resultOf(folder, out)) };
  } catch (error) {
    if (!(error instanceof UnitscopeError) || error.code === 'device-lost') throw error;
    call.warn(`${title}: ${error.describe()}`);
    return { ...facts, text: error.describe(), failed: true, pictures: [] };
  }
}

/** The pictures that a line has left, and its page. */
async function resultOf(folder: JobFolder, out: string): Promise<Pick<Shown, 'pictures' | 'page'>> {
  const path = relative(folder.path, out);
  if (!out.endsWith('/')) return { pictures: [path] };
  const names = (await readdir(out)).sort();
  const pages = names.includes('index.html') ? { page: join(path, 'index.html') } : {};
  const sheets = names.filter((name) => name.endsWith('.png') && (!('page' in pages) || name === 'sheet.png'));
  return { pictures: sheets.slice(0, MOST_SHOWN).map((name) => join(path, name)), ...pages };
}
