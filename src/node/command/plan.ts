/** `unitscope plan`: every GPU step of a forward (and backward) pass, without a GPU. */
import { compile, explain, totals, type CompileOptions, type Network, type Plan, type ReluRule, type Step } from '../../index.ts';
import type { Call, Command, Option, Report } from './command.ts';
import { describeExplanation, explanationData } from './explanation.ts';
import { adapterName, forcedKernel, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { binary, metric } from './quantity.ts';
import { choiceOf, countOf } from './value.ts';

/** The rules of a backward pass, as options name them. */
export const RULES: readonly ReluRule[] = ['gradient', 'deconvnet', 'guided'];

/** What WebGPU promises of every device, with subgroups, which most have. */
const COMMON_DEVICE = { subgroups: true, software: true, maxBinding: 128 * 2 ** 20 };

const OPTIONS: Readonly<Record<string, Option>> = {
  batch: { type: 'text', value: 'N', summary: 'images at once', default: '1' },
  layer: { type: 'text', value: 'NAME', summary: 'compute up to this layer; without it, all outputs' },
  backward: { type: 'text', value: 'RULE', summary: `the backward pass too: ${RULES.join(', ')}, none`, default: 'none' },
  explain: { type: 'flag', summary: 'run the steps on the GPU: why each kernel was chosen, its time, its limit, and why it is slow' },
};

export const plan: Command = {
  name: 'plan',
  summary: 'show every GPU step with kernel, shape, FLOPs and bytes; needs no GPU, but for --explain',
  operands: ['MODEL?'],
  options: { ...OPTIONS, ...KERNEL_OPTIONS, ...MODEL_OPTIONS },
  examples: [
    ['unitscope plan network.onnx', 'the steps of a forward pass'],
    ['unitscope plan --layer conv3 --backward guided --batch 8', 'forward and guided backward to conv3 of the embedded network'],
    ['unitscope plan network.onnx --explain', 'each step beside the least that this GPU needs for it'],
    ['unitscope plan network.onnx --kernel direct', 'the steps without Winograd, tiles in workgroup memory or any other special kernel'],
    ['unitscope plan network.onnx --json', 'the same for programs, with the kernel of each step, why it was chosen, and the key of its shape'],
  ],
  gpu: '--explain',
  async run(call): Promise<Report> {
    const { batch, layer, backward } = call.values;
    const images = countOf('batch', batch!, 1, 65536);
    const rule = choiceOf('backward', backward!, [...RULES, 'none']);
    const forced = forcedKernel(call);
    const { network } = await loadModel(call, call.operands[0]);
    const layers = layer === undefined ? network.outputs : [layer];
    const options = { batch: images, layers, ...(rule !== 'none' && { backward: { from: layers[0], rule } }) };
    if (call.flags.has('explain')) return explained(call, network, options);
    const made = compile(network, { ...options, capabilities: { ...COMMON_DEVICE, ...(forced !== undefined && { kernels: { forced } }) } });
    return { data: dataOf(made), text: describe(made) };
  },
};

/** The plan for the GPU of this machine, measured on it. */
function explained(call: Call, network: Network, options: Omit<CompileOptions, 'capabilities'>): Promise<Report> {
  const { signal, progress } = call;
  return withKernels(call, async (engine) => {
    const made = compile(network, { ...options, capabilities: engine.capabilities });
    const result = await explain(engine, made, { signal, progress: (done, total) => progress.report('steps', done, total) });
    const adapter = adapterName(engine);
    return {
      data: { ...dataOf(made), adapter, explanation: explanationData(result) },
      text: [`${network.name}, batch ${made.batch}`, ...describeExplanation(result, adapter), '', ...sumsOf(made)].join('\n'),
    };
  });
}

/** The shape that a step makes: that of its last gradient or of its result. */
function resultShape({ tensors }: Plan, step: Step): readonly number[] {
  const id = step.tensors.dx ?? step.tensors.y ?? Object.values(step.tensors).at(-1)!;
  return tensors[id].shape;
}

function dataOf(made: Plan) {
  const steps = [...made.passes.values()].flat().map((step) => {
    const { pass, label, kernel, choice, grid, flops, bytes } = step;
    return { pass, label, kernel, ...choice, shape: resultShape(made, step), grid, flops, bytes };
  });
  return { network: made.network, batch: made.batch, steps, totals: totals(made) };
}

function describe(made: Plan): string {
  const { network, batch, steps } = dataOf(made);
  const rows = steps.map(({ label, kernel, shape, grid, flops, bytes }) => [
    label, kernel, shape.join(' x '), grid.join(' x '), metric(flops), binary(bytes),
  ]);
  return [
    `${network}, batch ${batch}`,
    ...table([['step', 'kernel', 'makes', 'workgroups', 'FLOPs', 'moves'], ...rows], [4, 5]),
    '',
    ...sumsOf(made),
  ].join('\n');
}

function sumsOf(made: Plan): string[] {
  const { steps, pipelines, flops, bytes, memory, liveBytes, buffers } = totals(made);
  return table([
    ['steps', `${steps}, of ${pipelines} pipelines`],
    ['work', `${metric(flops)} FLOPs, ${binary(bytes)} moved`],
    ['memory', `${binary(memory)} in ${buffers} buffers, weights included`],
    ['', `${(memory / liveBytes).toFixed(2)} times the ${binary(liveBytes)} that are alive at one step at most`],
  ]);
}
