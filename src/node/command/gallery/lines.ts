/** What a gallery shows: a command line for each method, on one network and some pictures. */
import { join } from 'node:path';
import { classLayers, findNode, layerShape, mapShape, type Network } from '../../../index.ts';
import { atlas } from '../atlas.ts';
import { attribute } from '../attribute.ts';
import type { Command } from '../command.ts';
import { EMBEDDED } from '../model.ts';
import { embed } from '../embed.ts';
import { fool } from '../fool.ts';
import { invert } from '../invert.ts';
import { maximize } from '../maximize.ts';
import { occlude } from '../occlude.ts';
import { search } from '../search.ts';
import { statistics } from '../statistics.ts';
import { synthesize } from '../synthesize.ts';
import { top } from '../top.ts';
import { weights } from '../weights.ts';

export interface Line {
  /** Tells it from the others; also the name of its file or folder. */
  readonly name: string;
  readonly section: string;
  readonly title: string;
  readonly command: Command;
  /** What is written behind the command's name, without the options of the model. */
  readonly words: readonly string[];
  /** Where its result goes; a folder ends in `/`. */
  readonly out: string;
}

export interface Subjects {
  readonly network: Network;
  /** The operand that names the network. */
  readonly model: string;
  readonly folder: string;
  /** Pictures, each with a name for files and the class that the network names. */
  readonly pictures: readonly { readonly path: string; readonly name: string; readonly top: number }[];
  /** `--images FOLDER` or `--scenes N`: what methods go through that need many pictures; without it they are left out. */
  readonly many: readonly string[];
  /** Iterations of a picture that climbs. */
  readonly iterations: number;
}

/** The ways to attribute, and what is shown of each. */
const WAYS: readonly (readonly [title: string, ...words: string[]])[] = [
  ['gradient', '--method', 'gradient'],
  ['gradient x input', '--method', 'gradient-input', '--show', 'norm'],
  ['deconvnet', '--rule', 'deconvnet'],
  ['guided backprop', '--rule', 'guided'],
  ['SmoothGrad', '--method', 'smoothgrad', '--show', 'norm', '--samples', '24'],
  ['integrated gradients', '--method', 'integrated', '--show', 'norm', '--steps', '32'],
  ['Grad-CAM', '--method', 'grad-cam'],
  ['guided Grad-CAM', '--method', 'guided-grad-cam'],
];

/** Convolutions and dense layers, in the order of the network: its first, its middle and its last one with maps, and the last of all. */
function landmarks(network: Network): { first: string; middle: string; last: string } {
  const maps = network.nodes.filter(({ op, name }) => op === 'conv2d' && mapShape(layerShape(network, name)).slice(1).some((size) => size > 1)).map(({ name }) => name);
  const layers = maps.length > 0 ? maps : network.nodes.filter(({ op }) => op === 'dense').map(({ name }) => name);
  return { first: layers[0]!, middle: layers[Math.floor(layers.length / 2)]!, last: layers.at(-1)! };
}

export function linesOf(subjects: Subjects): Line[] {
  return [...subjects.pictures.flatMap((picture) => pictureLines(subjects, picture)), ...networkLines(subjects), ...setLines(subjects)];
}

function pictureLines({ network, model, folder, pictures, iterations }: Subjects, picture: Subjects['pictures'][number]): Line[] {
  const { path, name } = picture;
  const next = pictures[pictures.indexOf(picture) + 1];
  const { first, middle, last } = landmarks(network);
  const section = `Why it says so: ${name}`;
  const at = (title: string): string => join(folder, `${name}-${title.toLowerCase().replace(/\W+/g, '-')}.png`);
  const line = (title: string, command: Command, option: string, ...words: string[]): Line => ({
    name: `${name}-${title}`, section, title, command, words: [model, path, ...words, option, at(title)], out: at(title),
  });
  return [
    ...WAYS.map(([title, ...words]) => line(title, attribute, '--picture', ...words)),
    line('occlusion', occlude, '--out'),
    line('smallest change that fools it', fool, '--out'),
    line('inverted codes', invert, '--out', ...[...new Set([first, middle, last])].flatMap((layer) => ['--layer', layer]), '--steps', String(iterations)),
    ...(next ? [line(`between it and ${next.name}, by a code`, invert, '--out', '--with', next.path, '--layer', middle, '--steps', String(iterations))] : []),
    {
      ...line('dream of a layer', synthesize, '--out'),
      words: [model, '--style', 'deepdream', '--start', path, '--objective', middle, '--steps', String(Math.min(iterations, 60)), '--out', at('dream of a layer')],
    },
  ];
}

function networkLines({ network, model, folder, pictures, iterations }: Subjects): Line[] {
  const section = 'What it has learnt';
  const { logits } = classLayers(network);
  const { name: scores } = findNode(network, logits);
  const classes = [...new Set(pictures.map(({ top: index }) => index))];
  // What the published steps make of a network that they were not chosen for is often faint.
  const contrast = model === EMBEDDED ? [] : ['--contrast', 'stretched'];
  const units = (option: string): string[] => classes.flatMap((index) => [option, `${scores}:${index}`]);
  const { first, middle } = landmarks(network);
  const line = (title: string, command: Command, file: string, ...words: string[]): Line => ({ name: file, section, title, command, words: [model, ...words, '--out', join(folder, file)], out: join(folder, file) });
  return [
    line('weights of the first layer', weights, 'weights.png'),
    ...([1, 2, 3, 4] as const).map((preset) => line(`preferred inputs, preset ${preset}`, maximize, `maximize-preset${preset}.png`, ...units('--unit'), '--preset', String(preset), '--iterations', String(iterations), ...contrast)),
    line('preferred inputs from Fourier images', synthesize, 'synthesize.png', ...units('--objective'), '--steps', String(iterations)),
    line(`units of ${middle}, from Fourier images`, synthesize, 'synthesize-middle.png', ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((unit) => ['--objective', `${middle}:${unit}`]), '--steps', String(iterations)),
    line('noise that is taken for a class', fool, 'fooling.png', '--class', String(classes[0] ?? 0)),
    line('one regularizer at a time', search, 'sweep/', '--unit', `${scores}:${classes[0] ?? 0}`, '--sweep', '--steps', '5', '--iterations', String(iterations), ...contrast),
    line('settings drawn at random', search, 'search/', '--unit', `${scores}:${classes[0] ?? 0}`, '--trials', '16', '--iterations', String(iterations), ...contrast),
    line(`every unit of ${first}`, atlas, 'atlas/', '--layers', first, '--preset', '3', '--iterations', String(Math.min(iterations, 100)), ...contrast),
  ];
}

function setLines({ network, model, folder, many }: Subjects): Line[] {
  if (many.length === 0) return [];
  const section = 'Through many pictures';
  const { middle, last } = landmarks(network);
  const { name: scores } = findNode(network, classLayers(network).logits);
  const line = (title: string, command: Command, file: string, ...words: string[]): Line => ({ name: file, section, title, command, words: [model, ...many, ...words, '--out', join(folder, file)], out: join(folder, file) });
  return [
    line('top patches', top, 'top/', '--layer', middle, '--layer', last, '--units', '0..31'),
    line('statistics and dead units', statistics, 'statistics/', '--layer', 'all'),
    line('map of the pictures', embed, 'map/', '--layer', scores),
    line('map of the pictures, in rows', embed, 'grid/', '--layer', scores, '--method', 'umap', '--grid'),
  ];
}
