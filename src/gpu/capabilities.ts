/** What a device offers that changes which kernel is recorded. */
export interface Capabilities {
  /** Subgroup built-ins (quadBroadcast) may be used. */
  readonly subgroups: boolean;
  /** Largest storage binding, bytes. */
  readonly maxBinding: number;
}
