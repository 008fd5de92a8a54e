/** The tensors of a file under the names that they have in their network's modules. */
import type { Shape } from '../../network/network.ts';
import type { OpenSafetensors } from '../safetensors.ts';

export interface Stored {
  /** The name in the file. */
  readonly key: string;
  /** Number type, as safetensors calls it. */
  readonly type: string;
  readonly shape: Shape;
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

/** The same with names changed; one that another tensor has stays as it was. */
export function renamed({ tensors, prefix }: StateDict, rename: (name: string) => string): StateDict {
  const changed = [...tensors].map(([name, stored]) => {
    const other = rename(name);
    return [tensors.has(other) ? name : other, stored] as const;
  });
  return { tensors: new Map(changed), prefix };
}
