/**
 * Names of the kernels of a convolution. A variant is one kernel without its tile, e.g. `winograd 4x4, 3x3`; a family is
 * what predictions are right or wrong about together; people name either, or the beginning of a variant.
 */
import type { SharedTile } from '../../shaders/conv2d_shared.wgsl.ts';
import type { KernelChoices } from '../gpu/capabilities.ts';
import { SHARED_TILES } from './conv2d_shared.ts';
import type { Tile } from './conv2d_tile.ts';
import type { Choice } from './op.ts';
import { WINOGRAD_SIZES } from './winograd.ts';

/** Winograd's products are taken by the kernel of register tiles (direct) or by that of tiles in workgroup memory (shared). */
export const KERNEL_FAMILIES = ['direct', 'shared', 'winograd direct', 'winograd shared', 'depthwise'] as const;
export type KernelFamily = (typeof KERNEL_FAMILIES)[number];

export function familyOf(variant: string): KernelFamily {
  const [first] = variant.split(' ');
  if (first === 'winograd') return isShared(variant) ? 'winograd shared' : 'winograd direct';
  return first === 'shared' || first === 'depthwise' ? first : 'direct';
}

export const isShared = (variant: string): boolean => variant.includes('shared');

/** True where a person who says `name` means this variant. */
export function isCalled(variant: string, name: string): boolean {
  return variant.startsWith(name) || familyOf(variant) === name;
}

/** What may be asked for by name, families first. */
export const KERNEL_NAMES: readonly string[] = [
  ...new Set([
    'direct', 'winograd', 'shared', 'depthwise',
    ...KERNEL_FAMILIES,
    ...winogradNames(),
    ...SHARED_TILES.map(sharedName),
  ]),
];

/** Outputs of a tile of Winograd convolution: at least two, of filters of at least two taps. */
function winogradNames(): string[] {
  const outputs = WINOGRAD_SIZES.flatMap((size) => Array.from({ length: size - 2 }, (_, i) => size - 1 - i)).filter((count) => count > 1);
  return [...new Set(outputs)].sort().map((count) => `winograd ${count}x${count}`);
}

/** The tile of a workgroup, and of an invocation. */
export function sharedName({ tileM, tileP, rows, columns }: SharedTile): string {
  return `shared ${tileM}x${tileP}/${rows}x${columns}`;
}

/** A variant that is not known by its tile, with it. */
export const withTile = (variant: string, { tileM, tileP }: Tile): string => (variant.includes('/') ? variant : `${variant}, tile ${tileM}x${tileP}`);

/** The variant of a choice, without its tile. */
export const variantOf = ({ variant }: Pick<Choice, 'variant'>): string => variant.replace(/, tile \d+x\d+$/, '');

/** What a measurement on this adapter made of a prediction of the variant's cost: at most a factor. */
export function factorOf(variant: string, { factors }: KernelChoices = {}): number {
  return factors?.[familyOf(variant)] ?? 1;
}
