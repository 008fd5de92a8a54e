/** `unitscope plan`: every GPU step of a forward (and backward) pass, without a GPU. */
import { compile, totals, type Plan, type ReluRule, type Step } from '../../index.ts';
import type { Command, Option, Report } from './command.ts';
import { table } from './help.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { binary, metric } from './quantity.ts';
import { choiceOf, countOf } from './value.ts';

/** The rules of a backward pass, as options name them. */
export const RULES: readonly ReluRule[] = ['gradient', 'deconvnet', 'guided'];

/** What WebGPU promises of every device, with subgroups, which most have. */
const COMMON_DEVICE = { subgroups: true, maxBinding: 128 * 2 ** 20 };

const OPTIONS: Readonly<Record<string, Option>> = {
  batch: { type: 'text', value: 'N', summary: 'images at once', default: '1' },
  layer: { type: 'text', value: 'NAME', summary: 'compute up to this layer; without it, all outputs' },
  backward: { type: 'text', value: 'RULE', summary: `the backward pass too: ${RULES.join(', ')}, none`, default: 'none' },
};

export const plan: Command = {
  name: 'plan',
  summary: 'show every GPU step with kernel, shape, FLOPs and bytes; needs no GPU',
  operands: ['MODEL?'],
  options: { ...OPTIONS, ...MODEL_OPTIONS },
  examples: [
    ['unitscope plan network.onnx', 'the steps of a forward pass'],
    ['unitscope plan --layer conv3 --backward guided --batch 8', 'forward and guided backward to conv3 of the embedded network'],
    ['unitscope plan network.onnx --json', 'the same for programs'],
  ],
  gpu: false,
  async run(call): Promise<Report> {
    const { batch, layer, backward } = call.values;
    const images = countOf('batch', batch!, 1, 65536);
    const rule = choiceOf('backward', backward!, [...RULES, 'none']);
    const { network } = await loadModel(call, call.operands[0]);
    const layers = layer === undefined ? network.outputs : [layer];
    const made = compile(network, {
      batch: images,
      layers,
      capabilities: COMMON_DEVICE,
      ...(rule !== 'none' && { backward: { from: layers[0], rule } }),
    });
    return { data: dataOf(made), text: describe(made) };
  },
};

/** The shape that a step makes: that of its last gradient or of its result. */
function resultShape({ tensors }: Plan, step: Step): readonly number[] {
  const id = step.tensors.dx ?? step.tensors.y ?? Object.values(step.tensors).at(-1)!;
  return tensors[id].shape;
}

function dataOf(made: Plan) {
  const steps = [...made.passes.values()].flat().map((step) => {
    const { pass, label, kernel, grid, flops, bytes } = step;
    return { pass, label, kernel, shape: resultShape(made, step), grid, flops, bytes };
  });
  return { network: made.network, batch: made.batch, steps, totals: totals(made) };
}

function describe(made: Plan): string {
  const { network, batch, steps, totals: sums } = dataOf(made);
  const rows = steps.map(({ label, kernel, shape, grid, flops, bytes }) => [
    label, kernel, shape.join(' x '), grid.join(' x '), metric(flops), binary(bytes),
  ]);
  return [
    `${network}, batch ${batch}`,
    ...table([['step', 'kernel', 'makes', 'workgroups', 'FLOPs', 'moves'], ...rows], [4, 5]),
    '',
    ...table([
      ['steps', `${sums.steps}, of ${sums.pipelines} pipelines`],
      ['work', `${metric(sums.flops)} FLOPs, ${binary(sums.bytes)} moved`],
      ['memory', `${binary(sums.memory)} in ${sums.buffers} buffers, weights included`],
    ]),
  ].join('\n');
}
