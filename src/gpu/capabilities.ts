/** What a device offers that changes which kernel is recorded. */
export interface Capabilities {
  /** Subgroup built-ins (quad swaps) may be used. */
  readonly subgroups: boolean;
  /** A processor plays the GPU: loads are dear, workgroup memory dearer, and nothing runs ahead. */
  readonly software: boolean;
  /** Largest storage binding, bytes. */
  readonly maxBinding: number;
  /** Kernels that measurements or a person chose, over what the cost model would. */
  readonly kernels?: KernelChoices;
}

/** Choices that overrule the cost model. */
export interface KernelChoices {
  /** Wherever it can do the work: the variant to use, e.g. `direct` or `winograd 4x4`. */
  readonly forced?: string;
  /** Variants by the key of a shape, as measured on this adapter. */
  readonly measured?: ReadonlyMap<string, string>;
}
