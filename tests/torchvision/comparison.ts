/**
 * An exported network against onnxruntime: the class scores and tensors on the way to them, each within 1e-4 of its
 * largest value.
 *
 * The graphs are the real ones at smaller images, and AlexNet and VGG with narrower hidden dense layers, so that a
 * software GPU is done in a minute. UNITSCOPE_FULL=1 takes the real sizes, and more exports of the same networks: some
 * minutes and gigabytes.
 */
import { afterAll, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import type { Engine } from '../../src/gpu/engine.ts';
import { activations } from '../../src/methods/activations.ts';
import type { Network, Node, Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { useEngine } from '../gpu.ts';
import { ARCHITECTURES, type Architecture, type ArchitectureName, type Options } from './architectures.ts';
import { Exporter, type ExportOptions } from './exporter.ts';
import { OrtModel } from './ort.ts';
import { picture } from './pictures.ts';

const FULL = process.env.UNITSCOPE_FULL === '1';
const TOLERANCE = 1e-4;
/** The real sizes may take longer than tests do, ms. */
const PATIENCE = FULL ? 1_800_000 : undefined;

/** One export of one architecture. */
export interface Case extends Options, Pick<ExportOptions, 'fold' | 'openBatch' | 'opset'> {
  readonly name: ArchitectureName;
  /** Side of the image in the suite. */
  readonly side: number;
  readonly batch?: number;
  /** Another form of what the suite has already: with UNITSCOPE_FULL=1 only. */
  readonly full?: boolean;
}

function exported({ name, side, batch = 1, hidden, pooled, transformInput = false, full: _, ...options }: Case): Exporter {
  const { build, side: real = 224 }: Architecture = ARCHITECTURES[name];
  const size = FULL ? real : side;
  const cut = FULL ? {} : { ...(hidden && { hidden }), ...(pooled && { pooled }) };
  return build(new Exporter({ ...options, input: [batch, 3, size, size] }), { ...cut, transformInput });
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
/** Largest difference; NaN where either is. */
const distance = (a: Float32Array, b: Float32Array): number => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

/** What differs between a loaded network and onnxruntime's results of the same file, and the largest deviation. */
async function difference(engine: Engine, model: Exporter, network: Network): Promise<{ faults: string[]; worst: number }> {
  const { checked } = model;
  const oracle = await OrtModel.create(model.bytes(checked));
  const x = picture('a', model.input.shape);
  const expected = await oracle.run(x);
  const another = await oracle.run(picture('b', model.input.shape));
  await oracle.dispose();
  const found = await activations(engine, network, x, { layers: checked.map(({ name }) => name) });

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
  return { faults, worst };
}

/** A wrong reading of the file that the comparison must notice. */
export interface PlantedFault {
  readonly what: string;
  readonly of: Case;
  readonly change: (node: Node) => Node;
}

/** Declares a test for each case, and one for each planted fault; to be called once in a file. */
export function compareWithOrt(cases: readonly Case[], planted: readonly PlantedFault[] = []): void {
  const engine = useEngine();
  const report: string[] = [];
  afterAll(() => console.log(['largest deviation of a tensor, in parts of its largest value', ...report].join('\n  ')));
  const load = (name: string, model: Exporter): Promise<Network> => loadNetwork([{ name: `${name}.onnx`, bytes: model.bytes() }]);

  test.each(cases.filter(({ full = false }) => FULL || !full))('$name, opset $opset, computes what onnxruntime computes', async (one) => {
    const model = exported(one);
    const network = await load(one.name, model);
    shapesOf(network, 3); // for another batch too
    const { faults, worst } = await difference(engine(), model, network);
    report.push(`${one.name}, opset ${one.opset}: ${worst.toExponential(1)} in ${model.checked.length} tensors`);
    expect(faults).toEqual([]);
  }, PATIENCE);

  test.each(planted)('$what is noticed', async ({ of, change }) => {
    const model = exported(of);
    const network = await load(of.name, model);
    const nodes = network.nodes.map(change);
    expect(nodes).not.toEqual(network.nodes);
    expect((await difference(engine(), model, { ...network, nodes })).faults).not.toEqual([]);
  }, PATIENCE);
}
