/** `unitscope kernels`: what was measured of the kernels on this machine's GPU; measures the layers of a network. */
import { UnitscopeError } from '../../errors.ts';
import {
  adapterKey, classLayers, emptyRecord, KERNELS_VERSION, measuredShapes, prepareKernels, tuneKernels, withMeasured,
  type Engine, type KernelRecord, type MeasuredShape, type Network, type TunedShape,
} from '../../index.ts';
import { KernelFile } from '../kernel_file.ts';
import type { Call, Command, Report } from './command.ts';
import { adapterName, withEngine } from './gpu.ts';
import { table } from './help.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { counted, milliseconds } from './quantity.ts';
import { countOf } from './value.ts';

export const kernels: Command = {
  name: 'kernels',
  summary: 'show what was measured of the kernels on this GPU, or measure the layers of a network',
  operands: [],
  options: {
    tune: { type: 'text', value: 'MODEL', summary: 'time every kernel on the layers of this network, and take the fastest from now on' },
    backward: { type: 'flag', summary: 'with --tune: as gradients need it, forward and backward from the class scores' },
    batch: { type: 'text', value: 'N', summary: 'with --tune: images at once', default: '1' },
    clear: { type: 'flag', summary: 'forget what was measured on this GPU' },
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope kernels', 'factors of the kernels on this GPU, and the shapes that were measured'],
    ['unitscope kernels --tune network.onnx --backward', 'measure the layers of a network, forward and backward'],
    ['unitscope kernels --tune embedded --batch 9 --json', 'for nine images at once, as data'],
    ['unitscope kernels --clear', 'go by the cost model again; a GPU is measured anew by the next command'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { tune } = call.values;
    const batch = countOf('batch', call.values.batch!, 1, 65536);
    if (tune === undefined && call.flags.has('backward')) throw new UnitscopeError('usage', '--backward needs a network', {}, 'give --tune MODEL');
    if (tune !== undefined && call.flags.has('clear')) throw new UnitscopeError('usage', 'give --tune or --clear, not both');
    const network = tune === undefined ? undefined : (await loadModel(call, tune)).network;
    const store = new KernelFile(call.warn);
    return withEngine(async (engine) => {
      if (call.flags.has('clear')) await store.clear(adapterKey(engine.adapter));
      const tuned = network ? await tuneAndKeep(call, engine, store, network, batch) : undefined;
      const record = await store.load(adapterKey(engine.adapter));
      const { software } = engine.adapter;
      const data = { adapter: adapterName(engine), software, version: KERNELS_VERSION, file: store.place(), record: record ?? null, ...(tuned && { tuned }) };
      const body = tuned ? describeTuned(tuned) : describeRecord(record, software);
      return { data, text: [data.adapter, `  kept in ${data.file}`, '', ...body].join('\n') };
    });
  },
};

async function tuneAndKeep({ flags, signal, progress, warn }: Call, engine: Engine, store: KernelFile, network: Network, batch: number): Promise<TunedShape[]> {
  const measuring = (): void => progress.note('measuring the kernels of this GPU, once');
  const known = (await prepareKernels(engine, store, { measuring, warn, signal })) ?? emptyRecord(adapterKey(engine.adapter));
  const { logits } = classLayers(network);
  const tuned = await tuneKernels(engine, network, {
    batch,
    ...(flags.has('backward') && { layers: [logits], backward: { from: logits, rule: 'gradient' } }),
    signal,
    progress: (done, total) => progress.report('kernels', done, total),
  });
  await store.save(withMeasured(known, measuredShapes(tuned)));
  return tuned;
}

const timeOf = ({ times }: MeasuredShape, variant: string): string => (Object.hasOwn(times, variant) ? milliseconds(times[variant]) : '');

/** The other kernels, the fastest first. */
function others({ times, variant }: MeasuredShape): string {
  return Object.entries(times)
    .filter(([name]) => name !== variant)
    .sort(([, a], [, b]) => a - b)
    .map(([name, ms]) => `${name} ${milliseconds(ms)}`)
    .join('; ');
}

function describeRecord(record: KernelRecord | undefined, software: boolean): string[] {
  if (!record) {
    return software
      ? ['nothing was measured: the prices of software adapters are built in;', '`unitscope kernels --tune MODEL` measures the layers of a network']
      : ['nothing was measured: the next command that runs a network measures this GPU'];
  }
  const factors = Object.entries(record.factors).sort(([a], [b]) => (a < b ? -1 : 1));
  const shapes = Object.entries(record.measured);
  return [
    ...(factors.length > 0 ? ['measured / predicted time of each family of kernels, beside the direct one', ...table(factors.map(([family, factor]) => [family, factor.toFixed(2)]), [1]), ''] : []),
    shapes.length > 0 ? `${counted(shapes.length, 'shape')} measured` : 'no shapes were measured: `unitscope kernels --tune MODEL` does',
    ...(shapes.length > 0 ? table([['shape', 'takes', 'time', 'others'], ...shapes.map(([key, shape]) => [key, shape.variant, timeOf(shape, shape.variant), others(shape)])], [2]) : []),
  ];
}

function describeTuned(tuned: readonly TunedShape[]): string[] {
  const rows = tuned.map((shape) => {
    const { label, model, variant } = shape;
    return [label, variant === model ? 'as predicted' : `in place of ${model}`, variant, timeOf(shape, variant), others(shape)];
  });
  const changed = tuned.filter(({ model, variant }) => model !== variant);
  const sum = (name: 'model' | 'variant'): number => tuned.reduce((total, shape) => total + (shape.times[shape[name]] ?? 0), 0);
  return [
    ...(tuned.length > 0 ? table([['layer', '', 'takes', 'time', 'others'], ...rows], [3]) : []),
    '',
    `${counted(tuned.length, 'shape')} measured; ${changed.length === 0 ? 'the cost model was right about all of them' : `${changed.length} take another kernel than predicted`}`,
    ...(changed.length > 0 ? [`each once: ${milliseconds(sum('variant'))} in place of ${milliseconds(sum('model'))}`] : []),
  ];
}
