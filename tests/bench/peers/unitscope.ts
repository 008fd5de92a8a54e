/** Ours, through the public API: a fresh engine for every row, so that the first run compiles everything. */
import { compile, DEFAULT_SETTINGS, Engine, Maximizer, occlusion, PRESETS, Runner, totals, type KernelChoices, type Plan } from '../../../src/index.ts';
import { Trainer, type Drawing } from '../../../src/methods/trainer.ts';
import { recordCopy } from '../../../src/scheduler/watch.ts';
import type { Compilation, Contender, Running, Work } from '../contender.ts';
import { firstGradient, labelsOf, MOMENTUM, parametersOf, RATE } from '../training.ts';

/**
 * Iterations of one timed stretch; the blur of preset 3 comes every fourth. A person's run has hundreds; on a GPU a stretch
 * is long enough for its submissions to grow to the length that they would have there.
 */
const STRETCH = { software: 8, hardware: 400 };

/** An engine whose bindings hold the largest weights of the list of rows. */
export async function openEngine(gpu: GPU): Promise<Engine> {
  const adapter = await gpu.requestAdapter();
  const names = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const;
  const limits = Object.fromEntries(names.map((name) => [name, Math.min(2 ** 30, adapter?.limits[name] ?? 0)]));
  return Engine.create({ gpu, limits });
}

const flopsOf = (plan: Plan, passes: readonly string[]): number =>
  passes.flatMap((pass) => plan.passes.get(pass) ?? []).reduce((sum, step) => sum + step.flops, 0);

/**
 * Compiles all kernels of a plan before `Runner.create` asks for them, which would upload the weights meanwhile: their time
 * is then theirs alone, and the first run is what it would be or a little more. Each distinct text is one kernel.
 */
async function compileKernels(engine: Engine, plan: Plan): Promise<Compilation> {
  const steps = [...plan.passes.values()].flat();
  const begin = performance.now();
  await Promise.all(steps.map(({ label, code }) => engine.pipelines.compile(label, code)));
  return { kernels: totals(plan).pipelines, time: performance.now() - begin };
}

/** Forward, backward or both: the passes of one plan. */
async function runPasses(engine: Engine, { network, layer, kind, x, dy }: Work): Promise<Running> {
  const backward = kind !== 'forward' && { backward: { from: layer, rule: 'gradient' as const } };
  const plan = compile(network, { layers: [layer], capabilities: engine.capabilities, ...backward });
  const compiled = await compileKernels(engine, plan);
  const runner = await Runner.create(engine, plan);
  const input = network.inputs[0]!.name;
  runner.write(input, x.data);
  if (backward) runner.write('seed', dy.data);
  runner.run(backward ? ['forward', 'backward'] : ['forward']);
  const timed = { forward: ['forward'], 'input gradient': ['backward'], 'forward + gradient': ['forward', 'backward'] }[kind as 'forward'];
  return {
    run: () => runner.run(timed),
    done: () => engine.idle(),
    result: async () => (await runner.read(backward ? `d ${input}` : layer)).data,
    dispose: () => engine.dispose(),
    flops: flopsOf(plan, timed),
    compiled,
  };
}

/**
 * Whole iterations of preset 3 as a person runs them, progress numbers included. The mean of a stretch: its last
 * iteration, which only looks, and the start of the loop count too.
 */
async function runMaximize(engine: Engine, { network, layer, x }: Work): Promise<Running> {
  const mean = network.preprocess ? undefined : { channels: 'RGB' as const, range: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], fit: 'crop' as const };
  const settings = { ...DEFAULT_SETTINGS, ...PRESETS[3] };
  const seeds = Array.from({ length: x.shape[0]! }, (_, n) => n);
  const maximizer = await Maximizer.create(engine, network, { units: [`${layer}:7`], seeds, settings, ...(mean && { preprocess: mean }) });
  const stretch = async (steps: number): Promise<void> => {
    maximizer.set({ ...settings, iterations: maximizer.step + steps + 1 });
    for await (const { images } of maximizer.run()) {
      const [image] = images;
      if (image?.status !== 'running') throw new Error(`the image stopped: ${image?.status}`);
    }
  };
  const { plan } = maximizer.runner;
  await stretch(1);
  const steps = STRETCH[engine.adapter.software ? 'software' : 'hardware'];
  const everyStep = flopsOf(plan, ['present', 'forward', 'observe', 'backward', 'rate']);
  return {
    run: () => stretch(steps),
    done: () => engine.idle(),
    result: async () => (await maximizer.read()).data,
    dispose: () => engine.dispose(),
    flops: everyStep + (3 * flopsOf(plan, ['ascend']) + flopsOf(plan, ['ascend.blur'])) / 4,
    compiled: { kernels: totals(plan).pipelines },
    steps,
  };
}

/** 13 rows and columns of patches, as the published sizes give for 208 pixels. */
const PLACES = 13;

/** Whole maps of the first image, with everything that a person waits for; the time of a step is that of one batch of places. */
async function runOcclusion(engine: Engine, { network, layer, x }: Work): Promise<Running> {
  const [batch, ...size] = x.shape as [number, number, number, number];
  const picture = { shape: [1, ...size], data: x.data.slice(0, x.data.length / batch) };
  const stride = Math.ceil(size[1] / PLACES);
  let scores: Float32Array = new Float32Array();
  const run = async (): Promise<void> => {
    for await (const { map } of occlusion(engine, network, picture, { unit: `${layer}:7`, patch: 2 * stride, stride, fill: 'mean', batch })) scores = map.scores.data;
  };
  await run();
  return { run, done: () => engine.idle(), result: () => Promise.resolve(scores), dispose: () => engine.dispose(), steps: scores.length / batch };
}

/** Images that stay on the GPU: a copy of them stands where a step would draw its own. */
const storedImages = ({ x, dy }: Work): Drawing => ({
  labels: labelsOf(dy.shape),
  record(builder, { data }) {
    const recorder = builder.recorder('draw', 'data', 'copy');
    recordCopy(recorder, recorder.constant('images', x.shape, () => x.data), data);
  },
});

/** Whole steps as a person trains, the same images at each. */
async function runTraining(engine: Engine, work: Work): Promise<Running> {
  const { network, layer, x } = work;
  const batch = x.shape[0]!;
  const optimizer = { kind: 'sgd', momentum: MOMENTUM } as const;
  const trainer = await Trainer.create(engine, { network, logits: layer, batch, optimizer, decay: 0, smoothing: 0, seed: 1, draw: storedImages(work) });
  const seeds = new Uint32Array(batch);
  let step = 0;
  const run = (): void => trainer.step(++step, RATE, { seeds });
  run();
  return {
    run,
    done: () => engine.idle(),
    result: async () => firstGradient(network, parametersOf(await trainer.network()).map(({ data }) => data)),
    async check() {
      const { loss, steps, halt } = await trainer.tally();
      if (halt || steps !== step || !Number.isFinite(loss)) throw new Error(`the training stopped at step ${halt?.step ?? steps} of ${step}`);
    },
    dispose: () => engine.dispose(),
    flops: flopsOf(trainer.plan, ['draw', 'forward', 'loss', 'backward', 'update']),
    compiled: { kernels: totals(trainer.plan).pipelines },
  };
}

/** @param choose gives an engine the kernels that it is to take for the work; this is not timed */
export const unitscope = (gpu: GPU, choose?: (engine: Engine, work: Work) => Promise<KernelChoices | undefined>): Contender => ({
  name: 'unitscope',
  async prepare(work) {
    const engine = await openEngine(gpu);
    engine.kernels = await choose?.(engine, work);
    return async () => {
      try {
        if (work.kind === 'training step') return await runTraining(engine, work);
        if (work.kind === 'maximize step') return await runMaximize(engine, work);
        return await (work.kind === 'occlusion' ? runOcclusion(engine, work) : runPasses(engine, work));
      } catch (error) {
        engine.dispose();
        throw error;
      }
    };
  },
});
