/** The config of one Keras layer, read key by key. What nobody has asked for can be told: it would change the network. */
import type { Json } from '../json.ts';
import { Section } from '../manifest/section.ts';

/** Keys that say how a layer is trained, made or stored, or that the graph has read already. */
const ASIDE = new Set([
  'name', 'trainable', 'dtype', 'batch_input_shape', 'batch_shape', 'input_shape', 'input_dim', 'batch_size', 'input_dtype', 'autocast',
  'sparse', 'ragged', 'activity_regularizer', 'supports_masking', 'implementation',
]);
const TRAINING = /_(initializer|regularizer|constraint)$/;

export class Config extends Section {
  private readonly read = new Set<string>();

  override has(key: string): boolean {
    this.read.add(key);
    return super.has(key);
  }

  override raw(key: string): Json | undefined {
    this.read.add(key);
    return super.raw(key);
  }

  /** True where the key is there and not null: Keras writes null for what was not given. */
  given(key: string): boolean {
    return (this.raw(key) ?? null) !== null;
  }

  numberOr(key: string, fallback: number): number {
    return this.given(key) ? this.number(key) : fallback;
  }

  flag(key: string, fallback: boolean): boolean {
    if (!this.given(key)) return fallback;
    const value = this.raw(key);
    if (typeof value !== 'boolean') throw this.fault(key, `must be true or false`);
    return value;
  }

  wordOr<W extends string>(key: string, words: readonly W[], fallback: W): W {
    return this.given(key) ? this.oneOf(key, words) : fallback;
  }

  whole(key: string, least: number): number {
    return this.checked(key, this.number(key), least);
  }

  wholeOr(key: string, fallback: number, least: number): number {
    return this.given(key) ? this.whole(key, least) : fallback;
  }

  /** Height and width: two numbers, or one for both. */
  pair(key: string, least: number, fallback?: readonly [number, number]): [number, number] {
    if (fallback && !this.given(key)) return [...fallback];
    const value = this.raw(key);
    const sizes = Array.isArray(value) ? this.numbers(key) : [this.number(key), this.number(key)];
    if (sizes.length !== 2) throw this.fault(key, `must be two numbers, ${sizes.length} are there`);
    return sizes.map((size) => this.checked(key, size, least)) as [number, number];
  }

  /** [[top, bottom], [left, right]]; a pair of numbers stands for both sides each, a number for all four. */
  sides(key: string): [[number, number], [number, number]] {
    const value = this.raw(key);
    if (!Array.isArray(value) || !value.some(Array.isArray)) {
      const [height, width] = this.pair(key, 0);
      return [[height, height], [width, width]];
    }
    const sides = (value as readonly Json[]).map((side) => (Array.isArray(side) ? (side as readonly Json[]) : [side, side]));
    if (sides.length !== 2 || sides.some((side) => side.length !== 2)) throw this.fault(key, 'must be two pairs of numbers');
    return sides.map((side) => side.map((size) => this.checked(key, typeof size === 'number' ? size : NaN, 0))) as [[number, number], [number, number]];
  }

  /** A list of whole numbers, or one number. */
  axes(key: string): number[] {
    const value = this.raw(key);
    const axes = Array.isArray(value) ? this.numbers(key) : [this.number(key)];
    return axes.map((axis) => this.checked(key, axis, -Infinity));
  }

  /** Keys that no one has read and that are not null. */
  unread(): string[] {
    return this.keys().filter((key) => !this.read.has(key) && !ASIDE.has(key) && !TRAINING.test(key) && super.raw(key) !== null);
  }

  private checked(key: string, value: number, least: number): number {
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw this.fault(key, `must be a whole number${least > -Infinity ? ` from ${least} on` : ''}, ${value} is there`);
  }
}
