/** What a device offers that changes which kernel is recorded. */
export interface Capabilities {
  /** Subgroup built-ins (quad swaps) may be used. */
  readonly subgroups: boolean;
  /** A processor plays the GPU: loads are dear, workgroup memory dearer, and nothing runs ahead. */
  readonly software: boolean;
  /** Largest storage binding, bytes. */
  readonly maxBinding: number;
  /** Weights may be stored as 16-bit floats; sums stay 32 bits wide. */
  readonly f16?: boolean;
  /** Weights change from run to run: packing may move them and do nothing else, so none are transformed. */
  readonly moved?: boolean;
  /** Kernels that measurements or a person chose, over what the cost model would. */
  readonly kernels?: KernelChoices;
}

/** Choices that overrule the cost model, or correct it. What is not known to this version is passed over. */
export interface KernelChoices {
  /** Wherever it can do the work: a family, e.g. `winograd`, or how a variant begins, e.g. `winograd 2x2`. */
  readonly forced?: string;
  /** Variants by the key of a shape, as measured on this adapter. */
  readonly measured?: ReadonlyMap<string, string>;
  /** By family: measured time / predicted cost, relative to the direct kernel. */
  readonly factors?: Readonly<Record<string, number>>;
}
