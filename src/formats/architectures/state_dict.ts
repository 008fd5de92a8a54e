/** The tensors of a file under the names that they have in their network's modules. */
import type { Shape, Tensor } from '../../network/network.ts';
import type { OpenSafetensors } from '../safetensors.ts';
import { transposed } from '../tfjs/value.ts';

export interface Stored {
  /** The name in the file. */
  readonly key: string;
  /** Number type, as safetensors calls it. */
  readonly type: string;
  readonly shape: Shape;
  /** Where the file has its axes in another order: axis i of `shape` is axis order[i] there. */
  readonly order?: readonly number[];
}

/** What a tensor is here that another library stores. */
export interface Translated {
  readonly name: string;
  /** Axis i is axis order[i] of what is stored, if the number of axes is the same. */
  readonly order?: readonly number[];
}

/** How another library calls the tensors of a network, and in which order it keeps their axes. */
export interface Naming {
  /** Whose names they are, e.g. `Keras`. */
  readonly of: string;
  /** Undefined for names that are none of these. */
  translate(tensor: string): Translated | undefined;
}

export interface StateDict {
  readonly tensors: ReadonlyMap<string, Stored>;
  /** What stood before every name and was taken off; empty where nothing did. */
  readonly prefix: string;
}

/** What programs that wrap a network put before all its names: several devices, a trainer, a backbone, a compiler. */
const WRAPPERS = ['module.', 'model.', 'backbone.', '_orig_mod.'];

/** A count that batch normalization keeps while it is trained. */
const COUNTER = /(^|\.)num_batches_tracked$/;

export function stateDict({ entries }: Pick<OpenSafetensors, 'entries'>): StateDict {
  const keys = [...entries.keys()];
  let prefix = '';
  for (;;) {
    const wrapper = keys.length > 0 ? WRAPPERS.find((candidate) => keys.every((key) => key.startsWith(prefix + candidate))) : undefined;
    if (wrapper === undefined) break;
    prefix += wrapper;
  }
  const named = keys.filter((key) => !COUNTER.test(key)).map((key) => [key.slice(prefix.length), { key, ...entries.get(key)! }] as const);
  return { tensors: new Map(named), prefix };
}

/** The same by the names of this program; a tensor whose name would be another's stays as it was. */
export function translated({ tensors, prefix }: StateDict, { translate }: Naming): StateDict {
  const result = new Map<string, Stored>();
  for (const [name, stored] of tensors) {
    const other = translate(name);
    if (!other || tensors.has(other.name) || result.has(other.name)) result.set(name, stored);
    else result.set(other.name, other.order?.length === stored.shape.length ? turned(stored, other.order) : stored);
  }
  return { tensors: result, prefix };
}

const turned = (stored: Stored, order: readonly number[]): Stored => ({ ...stored, shape: order.map((axis) => stored.shape[axis]!), order });

/** The numbers, with the axes in our order. Throws as `OpenSafetensors.read` does. */
export function readStored(opened: OpenSafetensors, { key, order }: Stored): Tensor {
  const tensor = opened.read(key);
  return order ? transposed(tensor, order) : tensor;
}
