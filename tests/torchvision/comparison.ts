/**
 * An exported network against onnxruntime: the class scores and tensors on the way to them, each within 1e-4 of its
 * largest value.
 *
 * The graphs are the real ones at smaller images, and AlexNet and VGG with narrower hidden dense layers, so that a
 * software GPU is done in a minute. UNITSCOPE_FULL=1 takes the real sizes: several minutes and 6 GB.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { activations } from '../../src/methods/activations.ts';
import type { Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { useEngine } from '../gpu.ts';
import { ARCHITECTURES, type Architecture, type ArchitectureName, type Options } from './architectures.ts';
import { Exporter, type ExportOptions } from './exporter.ts';
import { OrtModel } from './ort.ts';
import { picture } from './pictures.ts';

const FULL = process.env.UNITSCOPE_FULL === '1';
const TOLERANCE = 1e-4;

/** One export of one architecture. */
export interface Case extends Options, Pick<ExportOptions, 'fold' | 'openBatch' | 'opset'> {
  readonly name: ArchitectureName;
  /** Side of the image in the suite. */
  readonly side: number;
  readonly batch?: number;
}

function exported({ name, side, batch = 1, hidden, pooled, transformInput = false, ...options }: Case): Exporter {
  const { build, side: real = 224 }: Architecture = ARCHITECTURES[name];
  const size = FULL ? real : side;
  const cut = FULL ? {} : { ...(hidden && { hidden }), ...(pooled && { pooled }) };
  return build(new Exporter({ ...options, input: [batch, 3, size, size] }), { ...cut, transformInput });
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
/** Largest difference; NaN where either is. */
const distance = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

/** Declares a test for each case; to be called once in a file. */
export function compareWithOrt(cases: readonly Case[]): void {
  const engine = useEngine();
  const report: string[] = [];
  afterAll(() => console.log(['largest deviation of a tensor, in parts of its largest value', ...report].join('\n  ')));

  describe.each(cases)('$name, opset $opset', (one) => {
    test('computes what onnxruntime computes', async () => {
      const model = exported(one);
      const { checked } = model;
      const network = await loadNetwork([{ name: `${one.name}.onnx`, bytes: model.bytes() }]);
      shapesOf(network, 3); // for another batch too

      const oracle = await OrtModel.create(model.bytes(checked));
      const x = picture('a', model.input.shape);
      const expected = await oracle.run(x);
      const another = await oracle.run(picture('b', model.input.shape));
      await oracle.dispose();
      const found = await activations(engine(), network, x, { layers: checked.map(({ name }) => name) });

      const faults: string[] = [];
      let worst = 0;
      for (const { name } of checked) {
        const [y, z, other] = [found.get(name)!, expected.get(name)!, another.get(name)!] as [Tensor, Tensor, Tensor];
        const scale = largest(z.data);
        const deviation = distance(y.data, z.data) / scale;
        worst = Math.max(worst, deviation);
        if (y.shape.join() !== z.shape.join()) faults.push(`${name} is [${y.shape}] instead of [${z.shape}]`);
        if (!(deviation <= TOLERANCE)) faults.push(`${name} [${z.shape}] is off by ${deviation} of ${scale}`);
        // What is compared must be alive: neither tiny nor huge, and not the same for every picture.
        const contrast = distance(z.data, other.data) / scale;
        if (!(scale > 1e-2 && scale < 1e4 && contrast > 100 * TOLERANCE)) faults.push(`${name} [${z.shape}] says nothing: up to ${scale}, ${contrast} of it from the picture`);
      }
      report.push(`${one.name}, opset ${one.opset}: ${worst.toExponential(1)} in ${checked.length} tensors`);
      expect(faults).toEqual([]);
    });
  });
}
