/**
 * From an image to what the network takes, one affine map of every pixel: channel order, range, mean and deviation at once.
 *   x[n, c, i] = sum over k of m[c][k] image[n, k, i] + b[c]        dimage[n, k, i] = sum over c of m[c][k] dx[n, c, i]
 *   image, dimage [N, K, H, W] f32    x, dx [N, C, H, W] f32, network units
 * One invocation, all channels of one pixel, or of four.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, linearMain, range, sum } from './prelude.wgsl.ts';

export interface NetworkInputParameters {
  readonly batch: number;
  /** Pixels of a channel. */
  readonly plane: number;
  /** m [C][K]. */
  readonly matrix: readonly (readonly number[])[];
  /** b [C]. */
  readonly offset: readonly number[];
}

const lanesOf = (plane: number): 1 | 4 => (plane % 4 === 0 ? 4 : 1);

export const networkInputGrid = ({ batch, plane }: NetworkInputParameters): [number, number, number] => linearGrid((batch * plane) / lanesOf(plane));

/** What every output channel is made of: m times the inputs, and b. */
function mix({ batch, plane }: NetworkInputParameters, [from, to]: readonly [string, string], matrix: NetworkInputParameters['matrix'], offset: readonly number[]): string {
  const loads = plane / lanesOf(plane);
  const type = lanesOf(plane) === 4 ? 'vec4f' : 'f32';
  const inputs = matrix[0]!.length;
  const read = range(inputs).filter((k) => matrix.some((row) => row[k] !== 0));
  const term = (factor: number, k: number): string[] => (factor === 0 ? [] : [factor === 1 ? `v${k}` : `${f32(factor)} * v${k}`]);
  return wgsl`
@group(0) @binding(0) var<storage, read> ${from}: array<${type}>;
@group(0) @binding(1) var<storage, read_write> ${to}: array<${type}>;

${linearMain(batch * loads)}
  let n = i / ${loads}u;
  let at = i % ${loads}u;
  ${read.map((k) => `let v${k} = ${from}[n * ${inputs * loads}u + ${k * loads}u + at];`).join('\n  ')}
  ${matrix.map((row, c) => `${to}[n * ${matrix.length * loads}u + ${c * loads}u + at] = ${type}(${sum([...row.flatMap(term), ...(offset[c] ? [f32(offset[c])] : [])])});`).join('\n  ')}
}`;
}

export function networkInput(p: NetworkInputParameters): string {
  return mix(p, ['image', 'x'], p.matrix, p.offset);
}

export function networkInputBackward(p: NetworkInputParameters): string {
  const transposed = range(p.matrix[0]!.length).map((k) => p.matrix.map((row) => row[k]!));
  return mix(p, ['dx', 'dimage'], transposed, []);
}
