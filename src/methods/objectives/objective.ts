/**
 * Objectives: differentiable scores of a network's activations. An objective is a sum of terms, each about one layer; the
 * images of a batch may have different ones.
 */
import { EVERYWHERE } from '../../../shaders/objective_places.wgsl.ts';
import { UnitscopeError } from '../../errors.ts';
import { findNode } from '../../network/lookup.ts';
import type { Network } from '../../network/network.ts';
import type { Summand } from '../../scheduler/objective.ts';
import { layerShape, mapShape } from '../unit.ts';

export interface Term {
  /**
   * direction: the dot product of a place's channels with a vector, times a power of their cosine similarity
   * energy: the mean of the layer's squares
   * distance: the squared distance of the layer from given values
   * diversity: how different the images of the batch look to the layer
   */
  readonly kind: Summand['kind'];
  /** Name of the layer. */
  readonly layer: string;
  /** Factor of the sum. */
  readonly weight: number;
  /** Of a direction the vector [C], of a distance the values [C, P]. */
  readonly values?: Float32Array;
  /** Of a direction: the place y W + x of the map; the mean over all places without it. */
  readonly place?: number;
  /** Of a direction: the exponent of the cosine similarity, 0 unless given. */
  readonly power?: number;
}

export interface Objective {
  readonly terms: readonly Term[];
}

/** The objectives of a batch, for its plan and for the tensors that the plan then has. */
export interface Assembly {
  readonly summands: readonly Summand[];
  /** Names of the layers that are looked at. */
  readonly layers: readonly string[];
  /** Contents by the names of `recordScores`. */
  readonly contents: ReadonlyMap<string, Float32Array | Uint32Array>;
}

/**
 * Terms of one kind and layer share their kernels: the first of every image, the second of every image, and so on. Who has
 * none there weighs 0.
 * @param objectives one per image
 * @throws usage, unknown-layer
 */
export function assemble(network: Network, objectives: readonly Objective[]): Assembly {
  const batch = objectives.length;
  const slots = new Map<string, (Term | undefined)[]>();
  objectives.forEach(({ terms }, n) => {
    if (terms.length === 0) throw new UnitscopeError('usage', 'an objective without a term has nothing to climb');
    const seen = new Map<string, number>();
    for (const term of terms) {
      const kind = `${term.kind} ${term.power ?? 0} ${term.layer}`;
      const turn = seen.get(kind) ?? 0;
      seen.set(kind, turn + 1);
      const slot = slots.get(`${turn} ${kind}`) ?? Array<Term | undefined>(batch).fill(undefined);
      slot[n] = checked(network, term, batch);
      slots.set(`${turn} ${kind}`, slot);
    }
  });
  const contents = new Map<string, Float32Array | Uint32Array>();
  const summands = [...slots.values()].map((slot, k): Summand => {
    const { kind, layer, power = 0 } = slot.find((term) => term)!;
    const [channels, height, width] = mapShape(layerShape(network, layer));
    contents.set(`weight.${k}`, Float32Array.from(slot, (term) => term?.weight ?? 0));
    if (kind === 'direction') contents.set(`place.${k}`, Uint32Array.from(slot, (term) => term?.place ?? EVERYWHERE));
    if (kind === 'direction' || kind === 'distance') {
      const size = kind === 'direction' ? channels : channels * height * width;
      const values = new Float32Array(batch * size);
      slot.forEach((term, n) => term && values.set(term.values!, n * size));
      contents.set(`v.${k}`, values);
    }
    return { kind, layer: findNode(network, layer).output, power };
  });
  return { summands, layers: [...new Set([...slots.values()].map((slot) => slot.find((term) => term)!.layer))], contents };
}

function checked(network: Network, term: Term, batch: number): Term {
  const { kind, layer, weight, values, place, power = 0 } = term;
  const refuse = (message: string): UnitscopeError => new UnitscopeError('usage', message, { layer });
  const [channels, height, width] = mapShape(layerShape(network, layer));
  if (!Number.isFinite(weight)) throw refuse(`the weight of an objective must be a number, got ${weight}`);
  if (!(power >= 0 && power <= 100)) throw refuse(`the exponent of the cosine similarity must be from 0 to 100, got ${power}`);
  if (kind === 'diversity' && batch < 2) throw refuse('diversity needs at least two images side by side');
  if (place !== undefined && !(place >= 0 && place < height * width)) throw refuse(`the map of '${layer}' has ${height} x ${width} places`);
  if (kind !== 'direction' && kind !== 'distance') return term;
  const wanted = kind === 'direction' ? channels : channels * height * width;
  if (values?.length !== wanted) throw refuse(`'${layer}' needs ${wanted} values, got ${values?.length ?? 0}`);
  if (!values.every(Number.isFinite)) throw refuse(`the values for '${layer}' must be numbers`);
  return term;
}
