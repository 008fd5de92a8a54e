/** How the tensors of a file fit a graph: which are missing, which are left over, which have another shape. */
import { UnitscopeError } from '../../errors.ts';
import { quote } from '../../network/spelling.ts';
import { isReadable, READABLE_TYPES } from '../safetensors.ts';
import type { Architecture, ArchitectureNaming, Training } from './architecture.ts';
import { Blueprint, type Wanted } from './blueprint.ts';
import { ARCHITECTURES } from './index.ts';
import { translated, type StateDict, type Stored } from './state_dict.ts';

/** Name of the images. */
export const INPUT = 'x';

export interface Fit {
  readonly architecture: Architecture;
  readonly blueprint: Blueprint;
  readonly classes: number;
  /** Whose names the tensors have, if not those of the blueprint. */
  readonly naming?: ArchitectureNaming;
  /** Of the weights that are published under these names. */
  readonly training: Training;
  /** The tensors by the names of the blueprint. */
  readonly tensors: StateDict['tensors'];
  readonly missing: readonly Wanted[];
  readonly leftOver: readonly string[];
  readonly reshaped: readonly { readonly wanted: Wanted; readonly stored: Stored }[];
  readonly unreadable: readonly string[];
  /** Tensors of branches that only training uses. */
  readonly unused: readonly string[];
  /** 1 where names and shapes are the same, 0 where no tensor is. */
  readonly likeness: number;
}

/** The tensors by the names of an architecture, and the classes that its last layer has rows for. */
function read({ namings = [], training, head }: Architecture, dict: StateDict): Pick<Fit, 'naming' | 'training' | 'tensors' | 'classes'> {
  const names = [...dict.tensors.keys()];
  const naming = namings.find(({ translate }) => names.some(translate));
  const { tensors } = naming ? translated(dict, naming) : dict;
  const published = naming?.training ?? training;
  return { ...(naming && { naming }), training: published, tensors, classes: tensors.get(`${head}.weight`)?.shape[0] || published.classes };
}

/**
 * Holds every tensor against the graph for as many classes as the last layer has rows.
 * @param size height and width of the images; the usual ones if absent. @throws usage where they do not suit the graph
 */
export function fitOf(architecture: Architecture, dict: StateDict, size: readonly [height: number, width: number] = [architecture.size, architecture.size]): Fit {
  const { naming, training, tensors, classes } = read(architecture, dict);
  const blueprint = new Blueprint(INPUT, [3, ...size]);
  architecture.draw(blueprint, classes);

  const wanted = blueprint.nodes.flatMap(({ weights }) => Object.values(weights));
  const names = new Set(wanted.map(({ tensor }) => tensor));
  const isUnused = (name: string): boolean => architecture.unused?.prefixes.some((prefix) => name.startsWith(prefix)) ?? false;
  const others = [...tensors.keys()].filter((name) => !names.has(name));
  const found = wanted.filter(({ tensor }) => tensors.has(tensor));
  const reshaped = found.map((one) => ({ wanted: one, stored: tensors.get(one.tensor)! })).filter((pair) => pair.wanted.shape.join() !== pair.stored.shape.join());
  const leftOver = others.filter((name) => !isUnused(name));
  return {
    architecture,
    blueprint,
    classes,
    ...(naming && { naming }),
    training,
    tensors,
    missing: wanted.filter(({ tensor }) => !tensors.has(tensor)),
    leftOver,
    reshaped,
    unreadable: found.map(({ tensor }) => tensor).filter((name) => !isReadable(tensors.get(name)!.type)),
    unused: others.filter(isUnused),
    likeness: (found.length - reshaped.length) / (wanted.length + leftOver.length),
  };
}

/** True where all names and all shapes are the same. */
export const isExact = ({ missing, leftOver, reshaped }: Fit): boolean => missing.length + leftOver.length + reshaped.length === 0;

/** The architectures whose names and shapes are those of the file. */
export const exactFits = (dict: StateDict): Fit[] =>
  ARCHITECTURES.filter((architecture) => hasAll(architecture, dict)).map((architecture) => fitOf(architecture, dict)).filter(isExact);

/** Thrown to end a drawing. */
class Missing extends Error {}

/** True where no tensor of the architecture is missing or has another shape. Most are told by their first layer, without drawing more. */
function hasAll(architecture: Architecture, dict: StateDict): boolean {
  const { tensors, classes } = read(architecture, dict);
  const blueprint = new Blueprint(INPUT, [3, architecture.size, architecture.size], ({ tensor, shape }) => {
    if (tensors.get(tensor)?.shape.join() !== shape.join()) throw new Missing();
  });
  try {
    architecture.draw(blueprint, classes);
    return true;
  } catch (error) {
    if (error instanceof Missing) return false;
    throw error;
  }
}

/** Below this likeness two networks have some names in common, and no more. */
const ALIKE = 0.2;

/** The architectures that the tensors fit best, best first. */
export function bestFits(dict: StateDict, count = 3): Fit[] {
  return ARCHITECTURES.map((architecture) => fitOf(architecture, dict))
    .filter(({ likeness }) => likeness >= ALIKE)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, count);
}

/** `2 tensors missing, 1 left over`. */
export function differences({ missing, leftOver, reshaped, unreadable }: Fit): string {
  const counts = [
    [missing.length, 'missing'],
    [leftOver.length, 'left over'],
    [reshaped.length, 'of another shape'],
    [unreadable.length, 'of numbers that cannot be read'],
  ] as const;
  return counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ');
}

/** Most differences that are shown. */
const SHOWN = 200;

/** A tensor by our name, and by that of its file where this is another than ours behind a prefix. */
const named = (tensor: string, { key }: Stored): string => (key.endsWith(tensor) ? quote(tensor) : `${quote(tensor)} (in the file ${quote(key)})`);

/** Everything that keeps the tensors of a file from being those of an architecture, in one error; undefined where nothing does. */
export function misfit(fit: Fit, file: string): UnitscopeError | undefined {
  const { architecture, missing, leftOver, reshaped, unreadable, tensors } = fit;
  const { name } = architecture;
  const list = [
    ...missing.map(({ tensor, shape }) => `missing: ${quote(tensor)} [${shape}]`),
    ...leftOver.map((tensor) => `left over: ${named(tensor, tensors.get(tensor)!)} [${tensors.get(tensor)!.shape}]`),
    ...reshaped.map(({ wanted, stored }) => `${named(wanted.tensor, stored)} is [${stored.shape}] and must be [${wanted.shape}]`),
    ...unreadable.map((tensor) => `${named(tensor, tensors.get(tensor)!)} holds ${tensors.get(tensor)!.type} numbers; ${READABLE_TYPES} can be read`),
  ];
  if (list.length === 0) return undefined;
  const shown = list.slice(0, SHOWN).map((line) => `\n  - ${line}`).join('');
  const rest = list.length > SHOWN ? `\n  - and ${list.length - SHOWN} more` : '';
  const hint = 'another architecture, or a graph that was changed: export the network to ONNX, or write a manifest for its weights';
  return new UnitscopeError('model-invalid', `the tensors are not those of ${name}: ${differences(fit)}${shown}${rest}`, { file }, hint);
}
