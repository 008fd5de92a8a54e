/**
 * The weights manifest: groups of weights that lie one after the other in the bytes of the group's files (shards).
 * Each weight has a name, a shape, a type of numbers, and perhaps a quantization: value = integer x scale + min.
 * Untrusted: files are found by their base name among those that came along, and sizes must fit to the byte.
 */
import { UnitscopeError } from '../../errors.ts';
import type { Shape, Tensor } from '../../network/network.ts';
import { decodeFloat16 } from '../../network/float16.ts';
import { quote, quoteList } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import { baseName, type NamedFile } from '../format.ts';
import type { Section } from '../manifest/section.ts';
import { littleEndianView } from '../numbers.ts';

/** How the numbers of a type are stored. */
const TYPES: Readonly<Record<string, { size: number; decode: (bytes: Uint8Array) => ArrayLike<number> }>> = {
  float32: { size: 4, decode: (bytes) => littleEndianView(bytes, Float32Array) },
  float16: { size: 2, decode: decodeFloat16 },
  int32: { size: 4, decode: (bytes) => littleEndianView(bytes, Int32Array) },
  uint16: { size: 2, decode: (bytes) => littleEndianView(bytes, Uint16Array) },
  uint8: { size: 1, decode: (bytes) => bytes },
  bool: { size: 1, decode: (bytes) => bytes },
};

interface Quantization {
  readonly type: string;
  readonly scale: number;
  readonly min: number;
}

interface Weight {
  readonly name: string;
  readonly shape: Shape;
  readonly type: string;
  readonly quantization?: Quantization | undefined;
  /** True for what only an optimizer uses. */
  readonly forTraining: boolean;
  readonly bytes: Uint8Array;
}

/** Weights by name, made numbers when they are asked for. */
export class Weights {
  private readonly decoded = new Map<string, Tensor>();
  /** Names by the layer and the role that they end in: `outer/conv/kernel` by `conv/kernel`. */
  private readonly byEnd = new Map<string, string[]>();
  private readonly used = new Set<string>();

  constructor(private readonly weights: ReadonlyMap<string, Weight>) {
    for (const name of weights.keys()) {
      const end = tokensOf(name).slice(-2).join('/');
      this.byEnd.set(end, [...(this.byEnd.get(end) ?? []), name]);
    }
  }

  /**
   * The names that a layer's weight may have, best first: what stands before layer and role must be the models around it.
   * Keras 2 and TensorFlow.js write `conv/kernel`, Keras 3 `model/conv/kernel` or `layers/conv/vars/0`.
   * @param path names of the models around the layer, and its own
   * @param roles what the weight may be called
   * @param index place of the weight among those of the layer
   */
  find(path: readonly string[], roles: readonly string[], index: number): string[] {
    const layer = path.at(-1)!;
    const stored = this.byEnd.get(`vars/${index}`)?.filter((name) => tokensOf(name).at(-3) === layer) ?? [];
    const named = [...roles, String(index)].flatMap((role) => this.byEnd.get(`${layer}/${role}`) ?? []);
    const fits = [...named, ...stored].map((name) => ({ name, ...fitOf(name, path) }));
    const best = fits.sort((a, b) => b.shared - a.shared || a.rest - b.rest);
    return best.filter(({ shared, rest }) => shared === best[0]!.shared && rest === best[0]!.rest).map(({ name }) => name);
  }

  get(name: string): Tensor {
    this.used.add(name);
    const known = this.decoded.get(name) ?? decode(this.weights.get(name)!);
    this.decoded.set(name, known);
    return known;
  }

  /** The shape of the weight of this very name. */
  shapeOf(name: string): Shape | undefined {
    return this.weights.get(name)?.shape;
  }

  names(): string[] {
    return [...this.weights.keys()];
  }

  /** Names that no layer has asked for, those of an optimizer aside. */
  unused(): string[] {
    return this.names().filter((name) => !this.used.has(name) && !this.weights.get(name)!.forTraining);
  }
}

const tokensOf = (name: string): string[] => name.replace(/:\d+$/, '').split('/');

/** How much of a name's front is the path of the layer, from its end, and how much is not. */
function fitOf(name: string, path: readonly string[]): { shared: number; rest: number } {
  const tokens = tokensOf(name);
  const front = tokens.slice(0, tokens.at(-2) === 'vars' ? -2 : -1).reverse();
  const models = [...path].reverse();
  const different = front.findIndex((token, i) => token !== models[i]);
  const shared = different < 0 ? front.length : different;
  return { shared, rest: front.length - shared };
}

function decode({ shape, type, quantization, bytes }: Weight): Tensor {
  const values = TYPES[quantization?.type ?? type]!.decode(bytes);
  if (!quantization || quantization.type === 'float16') return { shape, data: values instanceof Float32Array ? values : Float32Array.from(values) };
  const { scale, min } = quantization;
  const data = Float32Array.from(values, (value) => value * scale + min);
  return { shape, data: type === 'float32' ? data : data.map(Math.round) };
}

/** @throws io (all missing files at once), model-format, model-unsupported */
export function readWeights(groups: readonly Section[], main: NamedFile, files: readonly NamedFile[]): Weights {
  const lists = groups.map((group) => {
    const paths = group.texts('paths');
    const weights = group.sections('weights');
    group.finish();
    return { group, paths, weights };
  });
  const shards = shardsOf(lists.flatMap(({ paths }) => paths), main, files);
  const found = new Map<string, Weight>();
  for (const { group, paths, weights } of lists) {
    const bytes = joined(paths.map((path) => shards.get(path)!.bytes));
    let offset = 0;
    for (const section of weights) {
      const weight = readWeight(section, bytes, offset, paths);
      if (found.has(weight.name)) throw section.fault('name', `two weights are called ${quote(weight.name)}`);
      found.set(weight.name, weight);
      offset += weight.bytes.length;
    }
    if (offset < bytes.length) {
      throw group.fault('weights', `they take ${offset} bytes, ${quoteList(paths)} ${paths.length === 1 ? 'has' : 'have'} ${bytes.length}`);
    }
  }
  return new Weights(found);
}

function shardsOf(paths: readonly string[], main: NamedFile, files: readonly NamedFile[]): Map<string, NamedFile> {
  const others = files.filter((file) => file !== main);
  const candidates = new Map(paths.map((path) => [path, others.filter((file) => baseName(file.name) === baseName(path))]));
  const missing = paths.filter((path) => candidates.get(path)!.length === 0);
  const address = { file: main.name, attribute: 'weightsManifest' };
  if (missing.length > 0) {
    const message = `${missing.length} of ${paths.length} files of weights ${missing.length === 1 ? 'is' : 'are'} missing: ${quoteList(missing.map(baseName), 60)}`;
    const beside = others.length > 0 ? `; beside it came ${quoteList(others.map(({ name }) => baseName(name)))}` : '';
    throw new UnitscopeError('io', message, address, `give them together with the model${beside}`);
  }
  const taken = new Map<NamedFile, string>();
  for (const [path, [file, ...more]] of candidates) {
    const twice = more.length > 0 || taken.has(file!);
    if (twice) throw new UnitscopeError('io', `several files of weights are called ${quote(baseName(path))}`, address, 'give the files of one network');
    taken.set(file!, path);
  }
  return new Map([...candidates].map(([path, [file]]) => [path, file!]));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function readWeight(section: Section, group: Uint8Array, offset: number, paths: readonly string[]): Weight {
  const name = section.title('name');
  const shape = section.numbers('shape');
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) throw section.fault('shape', `[${shape}]: sizes are whole numbers`);
  const type = typeOf(section, 'dtype', ['float32', 'float16', 'int32', 'uint8', 'bool']);
  const quantization = section.has('quantization') ? readQuantization(section.section('quantization')) : undefined;
  const forTraining = section.has('group') && section.text('group') === 'optimizer';
  section.finish();
  const needed = elementCount(shape) * TYPES[quantization?.type ?? type]!.size;
  if (!(needed <= group.length - offset)) {
    throw section.fault('shape', `${quote(name)} [${shape}] needs ${needed} bytes from byte ${offset} on; ${quoteList(paths)} end at ${group.length}: cut or wrong`);
  }
  return { name, shape, type, quantization, forTraining, bytes: group.subarray(offset, offset + needed) };
}

function readQuantization(section: Section): Quantization {
  const type = typeOf(section, 'dtype', ['uint8', 'uint16', 'float16']);
  if (section.has('original_dtype')) section.text('original_dtype');
  const [scale, min] = type === 'float16' ? [1, 0] : [section.number('scale'), section.number('min')];
  section.finish();
  return { type, scale, min };
}

function typeOf(section: Section, key: string, known: readonly string[]): string {
  const type = section.text(key);
  if (known.includes(type)) return type;
  const address = { file: section.file, attribute: section.path };
  throw new UnitscopeError('model-unsupported', `${section.path}: numbers of the type ${quote(type)} are not supported`, address, `${known.join(', ')} can be read`);
}
