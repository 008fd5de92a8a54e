/** Files of weights for tests: a header with names and shapes, and numbers from a formula. */
import type { Architecture } from '../../../src/formats/architectures/architecture.ts';
import { Blueprint } from '../../../src/formats/architectures/blueprint.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import type { Shape, Tensor } from '../../../src/network/network.ts';
import { formulaTensor } from '../../recorded/formula_weights.ts';

/** The architecture drawn for images of one size. */
export function drawn(architecture: Architecture, classes = architecture.training.classes, size = architecture.size): Blueprint {
  const blueprint = new Blueprint('x', [3, size, size]);
  architecture.draw(blueprint, classes);
  return blueprint;
}

/** Names and shapes of all its tensors. */
export function tensorsOf(architecture: Architecture, classes?: number): Map<string, Shape> {
  const { nodes } = drawn(architecture, classes);
  return new Map(nodes.flatMap(({ weights }) => Object.values(weights)).map(({ tensor, shape }) => [tensor, shape]));
}

/** As the reader sees a file of such tensors. */
export const entriesOf = (tensors: ReadonlyMap<string, Shape>): { entries: Map<string, { type: string; shape: Shape }> } => ({
  entries: new Map([...tensors].map(([name, shape]) => [name, { type: 'F32', shape }])),
});

/** A number that keeps the signal of a network in range: variances near 1, weights by their fan-in. */
export function formulaOf(name: string, shape: Shape): Tensor {
  const values = (amplitude: number, centre = 0): Tensor => {
    const { data } = formulaTensor(name, shape, amplitude);
    return { shape, data: centre === 0 ? data : data.map((value) => value + centre) };
  };
  if (name.endsWith('running_var')) return values(0.5, 1);
  if (shape.length === 1) return name.endsWith('weight') ? values(0.5, 1) : values(0.1);
  return values(Math.sqrt(6 / shape.slice(1).reduce((a, b) => a * b, 1)));
}

/** A file of the tensors, each under the name that `call` gives it. */
export function fileOf(tensors: ReadonlyMap<string, Shape>, call: (name: string) => string = (name) => name): Uint8Array {
  return writeSafetensors(new Map([...tensors].map(([name, shape]) => [call(name), formulaOf(name, shape)])));
}
