/**
 * Stops a training whose gradients are no numbers any more, before they reach the weights.
 *   halt = [1, clock[0]] where norms[3], the count of elements that are not finite, is above 0 and halt[0] was 0
 *   norms [4] f32    clock [4] u32    halt [2] u32: whether, and at which step
 * One invocation does it all.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';

export function haltKernel(): string {
  return wgsl`
@group(0) @binding(0) var<storage, read> norms: array<f32>;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read_write> halt: array<u32>;

@compute @workgroup_size(1)
fn main() {
  if (norms[3] > 0.0 && halt[0] == 0u) {
    halt[0] = 1u;
    halt[1] = clock[0];
  }
}`;
}
