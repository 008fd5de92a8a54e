/** Assigns tensors to buffers, and to places in them. */
import { aligned, pack, peak, type Block, type Spot } from './packing.ts';

export interface Life extends Block {
  /**
   * scratch: alive between its first and last step, its memory is another's afterwards. kept: alive always.
   * constant: kept, and written by no step.
   */
  readonly kind: 'scratch' | 'kept' | 'constant';
}

export interface Assignment {
  readonly spots: ReadonlyMap<number, Spot>;
  /** Bytes by buffer. */
  readonly buffers: readonly number[];
}

/** Constants up to this many bytes share a buffer; a larger one fills its own, which then need not be cleared first. */
const SMALL = 2 ** 16;

/** The most bytes alive at one step, kept ones included: no assignment can use less. */
export function liveBytes(lives: readonly Life[]): number {
  const kept = lives.filter(({ kind }) => kind !== 'scratch').reduce((sum, { bytes }) => sum + bytes, 0);
  return kept + peak(lives.filter(({ kind }) => kind === 'scratch'));
}

/**
 * Scratch tensors are packed into a few buffers; what is kept has a buffer to itself, small constants one together.
 * @param most bytes of a buffer, unless a single tensor has more
 */
export function assignBuffers(lives: readonly Life[], most = Infinity): Assignment {
  const { spots: packed, buffers: scratch } = pack(lives.filter(({ kind }) => kind === 'scratch'), most);
  const spots = new Map(packed);
  const buffers = [...scratch];
  let shared: number | undefined;
  for (const { id, kind, bytes } of lives) {
    if (kind === 'scratch') continue;
    const small = kind === 'constant' && bytes <= SMALL;
    if (small && shared !== undefined && aligned(buffers[shared]!) + bytes <= most) {
      const offset = aligned(buffers[shared]!);
      spots.set(id, { buffer: shared, offset });
      buffers[shared] = offset + bytes;
    } else {
      if (small) shared = buffers.length;
      spots.set(id, { buffer: buffers.length, offset: 0 });
      buffers.push(bytes);
    }
  }
  return { spots, buffers };
}
