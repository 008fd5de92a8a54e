/** Tiles of the pooling kernels, by what their texts count. */
import { MAX_TILE } from '../../shaders/max_pool.wgsl.ts';
import { axesOf, blockOf, blocksOf, inputsOf, tapOn, tilesOf, windowsOf, type Pair, type PoolParameters } from '../../shaders/pool.wgsl.ts';
import { range } from '../../shaders/prelude.wgsl.ts';

export interface PoolTiles {
  readonly forward: Pair | undefined;
  readonly backward: Pair | undefined;
}

/** Loads and stores of one invocation that are still unrolled: past this the text takes long to compile. */
const MOST = 72;

/** What counts where a processor plays the GPU, in loads: to start an invocation, a store, one tap of one window. */
const START = 4.5;
const STORE = 0.8;
const TAP = 0.2;

interface Work {
  readonly accesses: number;
  /** Of all invocations of one plane, in loads. */
  readonly cost: number;
}

type Count = (p: PoolParameters, tile: Pair) => Work;

const workOf = (invocations: number, loads: number, stores: number, taps: number): Work => ({
  accesses: loads + stores,
  cost: invocations * (START + loads + STORE * stores + TAP * taps),
});

const forward: Count = (p, tile) => {
  const [Y, X] = axesOf({ ...p, tile });
  const outputs = Y.tile * X.tile;
  return workOf(tilesOf(Y) * tilesOf(X), inputsOf(Y).length * inputsOf(X).length, outputs + Y.tile, outputs * Y.kernel * X.kernel);
};

const backward: Count = (p, tile) => {
  const axes = axesOf({ ...p, tile });
  const [Y, X] = axes;
  const [rows, columns] = [windowsOf(Y), windowsOf(X)];
  const words = new Set(columns.map((b) => Math.floor(b / X.tile))).size;
  const [covers, coversX] = axes.map((axis) => range(blockOf(axis)).flatMap((input) => windowsOf(axis).filter((output) => tapOn(axis, output, input) !== undefined)).length);
  return workOf(blocksOf(Y) * blocksOf(X), rows.length * (columns.length + words), blockOf(Y) * blockOf(X), covers! * coversX!);
};

/**
 * The tile of each pass; none where the windows are too large. Both passes share the columns, by which the winners of a
 * maximum are packed. A GPU has loads to spare, and wants its invocations side by side in memory: one output each.
 */
export function poolTiles(p: PoolParameters, software: boolean): PoolTiles {
  const sizes = (most: number, outputs: number): number[] => range(software ? Math.min(most, outputs) : 1, 1);
  const best = (count: Count, columns: number): { tile: Pair; cost: number } | undefined =>
    sizes(4, p.outHeight)
      .map((rows) => ({ tile: [rows, columns] as const, ...count(p, [rows, columns]) }))
      .filter(({ accesses }) => accesses <= MOST)
      .sort((a, b) => a.cost - b.cost)[0];
  const [found] = sizes(MAX_TILE, p.outWidth)
    .flatMap((columns) => {
      const [y, dx] = [best(forward, columns), best(backward, columns)];
      return y && dx ? [{ forward: y.tile, backward: dx.tile, cost: y.cost + dx.cost }] : [];
    })
    .sort((a, b) => a.cost - b.cost);
  return found ?? { forward: undefined, backward: undefined };
}
