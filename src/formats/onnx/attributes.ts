/** The attributes of one node. What the mapping of its op does not read, is refused by name afterwards. */
import type { OnnxAttribute } from './model.ts';

/** AttributeProto.AttributeType of the kinds that are read. */
const KIND = { float: 1, integer: 2, text: 3, tensor: 4, floats: 6, integers: 7 } as const;

/** Throws an error about this attribute. */
export type RefuseAttribute = (attribute: string, reason: string) => Error;

export class OnnxAttributes {
  private readonly byName = new Map<string, OnnxAttribute>();
  private readonly asked = new Set<string>();
  private readonly refuse: RefuseAttribute;

  constructor(attributes: readonly OnnxAttribute[], refuse: RefuseAttribute) {
    this.refuse = refuse;
    for (const attribute of attributes) {
      if (this.byName.has(attribute.name)) throw refuse(attribute.name, 'stands twice');
      this.byName.set(attribute.name, attribute);
    }
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** Takes note of attributes that mean nothing for inference. */
  ignore(...names: string[]): void {
    names.forEach((name) => this.asked.add(name));
  }

  integer(name: string, fallback: number): number {
    const attribute = this.find(name, KIND.integer);
    return attribute ? (attribute.integer ?? 0) : fallback;
  }

  float(name: string, fallback: number): number {
    const attribute = this.find(name, KIND.float);
    return attribute ? (attribute.float ?? 0) : fallback;
  }

  text(name: string, fallback: string): string {
    const attribute = this.find(name, KIND.text);
    return attribute ? (attribute.text ?? '') : fallback;
  }

  integers(name: string): readonly number[] | undefined {
    return this.find(name, KIND.integers)?.integers;
  }

  floats(name: string): readonly number[] | undefined {
    return this.find(name, KIND.floats)?.floats;
  }

  /** The bytes of a TensorProto. */
  tensor(name: string): Uint8Array | undefined {
    return this.find(name, KIND.tensor)?.tensor;
  }

  /** Names of the attributes that nobody asked for. */
  unread(): string[] {
    return [...this.byName.keys()].filter((name) => !this.asked.has(name));
  }

  private find(name: string, kind: number): OnnxAttribute | undefined {
    this.asked.add(name);
    const attribute = this.byName.get(name);
    // Files from before the kind was written have 0 there.
    if (!attribute || attribute.kind === kind || (attribute.kind === 0 && holds(attribute, kind))) return attribute;
    throw this.refuse(name, 'has the wrong type');
  }
}

function holds(attribute: OnnxAttribute, kind: number): boolean {
  switch (kind) {
    case KIND.float:
      return attribute.float !== undefined;
    case KIND.integer:
      return attribute.integer !== undefined;
    case KIND.text:
      return attribute.text !== undefined;
    case KIND.tensor:
      return attribute.tensor !== undefined;
    case KIND.floats:
      return attribute.integer === undefined && attribute.integers.length === 0;
    default:
      return attribute.float === undefined && attribute.floats.length === 0;
  }
}
