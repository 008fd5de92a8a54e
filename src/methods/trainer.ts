/**
 * Trains a network by our own kernels: one submission a step, nothing is waited for inside the loop. All that is random is a
 * function of the seed and the number of the step, so that a training that was stopped goes on to the same bits.
 */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Tensor } from '../network/network.ts';
import type { LayerMeasure } from '../network/training.ts';
import type { TensorRef } from '../ops/op.ts';
import type { PlanBuilder } from '../scheduler/builder.ts';
import { compile } from '../scheduler/compile.ts';
import { correctionsOf, type Optimizer } from '../scheduler/optimizer.ts';
import { Runner } from '../scheduler/runner.ts';
import { compileTraining, type TrainingPlan } from '../scheduler/training.ts';

export interface TrainerOptions {
  /** Its weights are where it starts. */
  readonly network: Network;
  /** Layer whose output [N, K] is scored. */
  readonly logits: string;
  readonly batch: number;
  readonly optimizer: Optimizer;
  /** Weight decay: decoupled with Adam, a penalty with SGD; biases have none. */
  readonly decay: number;
  /** Label smoothing. */
  readonly smoothing: number;
  /** Steps may learn from images that are moved against the network first: see `step`. */
  readonly perturb?: boolean | undefined;
  /** What dropout draws from. */
  readonly seed: number;
  /** Makes pictures on the GPU; without it every step is given images and labels. */
  readonly draw?: Drawing | undefined;
}

/** A source of labelled pictures that are made on the GPU. */
export interface Drawing {
  /** The class of each image of a batch: the same at every step. */
  readonly labels: Uint32Array;
  /** Records what fills `data` [N, C, H, W], preprocessed, from `seeds` [N] u32. */
  record(builder: PlanBuilder, tensors: { readonly data: TensorRef; readonly seeds: TensorRef }): void;
}

/** What a step learns from: seeds of pictures, or images [N, C, H, W] after preprocessing and their classes. */
export type TrainingInput = { readonly seeds: Uint32Array } | { readonly images: Float32Array; readonly labels: Uint32Array };

/** Of the steps since the last tally. */
export interface Tally {
  /** Mean cross-entropy, nats. */
  readonly loss: number;
  /** Share of right answers, in training mode. */
  readonly accuracy: number;
  readonly images: number;
  readonly steps: number;
  /** Since this step the loss or a gradient is not finite; the weights are those before it. */
  readonly halt?: { readonly step: number };
}

/** What a watched step measured of a layer with weights. */
export interface LayerWatch extends LayerMeasure {
  readonly layer: string;
}

/** Everything that changes while a network is trained, by tensor name. */
export type TrainerState = ReadonlyMap<string, Tensor>;

export class Trainer {
  private watchedOnce = false;

  private constructor(
    readonly engine: Engine,
    private readonly options: TrainerOptions,
    private readonly training: TrainingPlan,
    private readonly runner: Runner,
  ) {}

  /** @throws model-unsupported, model-invalid, limit, out-of-memory */
  static async create(engine: Engine, options: TrainerOptions): Promise<Trainer> {
    const { network, draw, batch } = options;
    const record = draw && ((builder: PlanBuilder, data: TensorRef) => draw.record(builder, { data, seeds: builder.persistent('seeds', [batch], 'u32') }));
    const training = compileTraining(network, { ...options, capabilities: engine.capabilities, draw: record });
    const runner = await Runner.create(engine, training.plan);
    const trainer = new Trainer(engine, options, training, runner);
    const zeros = training.moments.map((name): [string, Tensor] => {
      const { shape } = runner.tensor(name);
      return [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }];
    });
    const weights = training.parameters.map(({ name, layer, role }): [string, Tensor] => [name, findNode(network, layer).weights[role]!]);
    trainer.restore(new Map([...zeros, ...weights]));
    if (draw) runner.write('labels', draw.labels);
    return trainer;
  }

  /** Layers with weights, in the order of the network. */
  get layers(): readonly string[] {
    return this.training.watched.map(({ layer }) => layer);
  }

  /** The plan of a step. */
  get plan(): TrainingPlan['plan'] {
    return this.runner.plan;
  }

  /**
   * One step: forward, loss, backward, update; returns at once. After a halt it changes nothing.
   * @param number counted from 1
   * @param watch measure the layers too, see `watched`
   * @param distance above 0: each image is first moved so far (L2, network units) along the gradient of its loss, and what is learnt
   *   and tallied is the moved one (adversarial training, Goodfellow et al. 2015)
   */
  step(number: number, rate: number, input: TrainingInput, watch = false, distance = 0): void {
    if (distance > 0 && !this.options.perturb) throw new UnitscopeError('usage', 'this training moves no images: make it with `perturb`');
    const fed = this.feed(number, rate, input, distance);
    const moved = distance > 0 ? ['forward', 'loss', 'backward', 'perturb'] : [];
    const passes = [...fed, ...moved, 'forward', 'loss', 'tally', 'backward'];
    this.runner.run(watch ? [...passes, 'before', 'update', 'watch'] : [...passes, 'update']);
    this.watchedOnce ||= watch;
  }

  /** Writes what a step needs; returns the passes that make the pictures. */
  private feed(number: number, rate: number, input: TrainingInput, distance = 0): string[] {
    const { runner, options } = this;
    const { optimizer, seed, draw, batch } = options;
    runner.write('clock', Uint32Array.of(number, seed, 0, 0));
    runner.write('schedule', Float32Array.of(rate, ...correctionsOf(optimizer, number), distance));
    if ('seeds' in input) {
      if (!draw) throw new UnitscopeError('usage', 'this training draws no pictures: give it images and labels');
      if (input.seeds.length !== batch) throw new UnitscopeError('usage', `a step takes ${batch} seeds, got ${input.seeds.length}`);
      runner.write('seeds', input.seeds);
      return ['draw'];
    }
    const { shape } = runner.tensor('data');
    const expected = shape.reduce((a, b) => a * b, 1);
    if (draw) throw new UnitscopeError('usage', 'this training draws its pictures: give it seeds');
    if (input.images.length !== expected || input.labels.length !== batch) {
      throw new UnitscopeError('usage', `a step takes images of [${shape}] and ${batch} labels, got ${input.images.length} numbers and ${input.labels.length} labels`);
    }
    runner.write('data', input.images);
    runner.write('labels', input.labels);
    return [];
  }

  /** Reads and clears the tally; waits for every step that was given. */
  async tally(): Promise<Tally> {
    const halted = new Uint32Array(await this.runner.readBytes('halt'));
    const [losses, right, images, steps] = (await this.runner.read('tally')).data as unknown as [number, number, number, number];
    this.runner.write('tally', new Float32Array(4));
    return { loss: losses / steps, accuracy: right / images, images, steps, ...(halted[0] !== 0 && { halt: { step: halted[1]! } }) };
  }

  /** What the last watched step measured. @throws usage before there was one */
  async watched(): Promise<LayerWatch[]> {
    if (!this.watchedOnce) throw new UnitscopeError('usage', 'no step was watched yet');
    const results: LayerWatch[] = [];
    for (const { layer, parameters, relu } of this.training.watched) {
      const sums = [0, 0, 0, 0];
      let previous = 0;
      for (const { name } of parameters) {
        const norms = (await this.runner.read(`norms ${name}`)).data;
        sums.forEach((_, i) => (sums[i]! += norms[i]!));
        previous += norms[1]!;
      }
      const [gradient, weight, moved, nonFinite] = sums as [number, number, number, number];
      const zeros = relu && new Uint32Array(await this.runner.readBytes(`zeros ${layer}`));
      const positive = zeros && Array.from({ length: relu.units }, (_, c) => zeros[2 * c]!);
      results.push({
        layer,
        gradient: Math.sqrt(gradient),
        weight: Math.sqrt(weight),
        change: Math.sqrt(moved / previous),
        nonFinite,
        ...(positive && {
          zeros: 1 - positive.reduce((a, b) => a + b, 0) / relu.elements,
          dead: positive.filter((count) => count === 0).length,
          units: relu.units,
        }),
      });
    }
    return results;
  }

  /**
   * Where a halted training broke: the step's input runs once more through the weights as they are.
   * @returns the first layer whose output is not finite or, where all are, the one nearest to the loss whose gradient is not
   */
  async where(number: number, input: TrainingInput): Promise<{ layer: string; what: 'weights' | 'output' | 'gradient' } | undefined> {
    const { runner, options, training } = this;
    const network = await this.network();
    const isFinite = (data: Float32Array): boolean => data.every((value) => Number.isFinite(value));
    const spoilt = network.nodes.find(({ weights }) => !Object.values(weights).every(({ data }) => isFinite(data)));
    if (spoilt) return { layer: spoilt.name, what: 'weights' };
    runner.run([...this.feed(number, 0, input), 'forward', 'loss', 'backward']);
    const images = await runner.read('data');
    const layers = network.nodes.map(({ output }) => output);
    const plan = compile(network, { batch: options.batch, layers, fuse: false, capabilities: this.engine.capabilities });
    const forward = await Runner.create(this.engine, plan);
    try {
      forward.write(network.inputs[0]!.name, images.data);
      forward.run(['forward']);
      for (const node of network.nodes) if (!isFinite((await forward.read(node.output)).data)) return { layer: node.name, what: 'output' };
    } finally {
      forward.dispose();
    }
    for (const { layer, parameters } of [...training.watched].reverse()) {
      for (const { name } of parameters) if (!isFinite((await runner.read(`d ${name}`)).data)) return { layer, what: 'gradient' };
    }
    return undefined;
  }

  /** The weights and the optimizer's moments as they are after every step that was given. */
  async state(): Promise<TrainerState> {
    const names = [...this.training.parameters.map(({ name }) => name), ...this.training.moments];
    const state = new Map<string, Tensor>();
    for (const name of names) state.set(name, await this.runner.read(name));
    return state;
  }

  /** Goes back to a state, and forgets a halt. @throws usage when a tensor is missing or of another shape */
  restore(state: TrainerState): void {
    for (const name of [...this.training.parameters.map((parameter) => parameter.name), ...this.training.moments]) {
      const tensor = state.get(name);
      const { shape } = this.runner.tensor(name);
      if (tensor?.shape.join() !== shape.join()) {
        throw new UnitscopeError('usage', `the state of the training must have '${name}' [${shape}], it has ${tensor ? `[${tensor.shape}]` : 'none'}`);
      }
      this.runner.write(name, tensor.data);
    }
    this.runner.write('halt', new Uint32Array(2));
    this.runner.write('tally', new Float32Array(4));
  }

  /** The network with its weights as they are now. */
  async network(): Promise<Network> {
    const learnt = new Map<string, Tensor>();
    for (const { name } of this.training.parameters) learnt.set(name, await this.runner.read(name));
    const { network } = this.options;
    return {
      ...network,
      nodes: network.nodes.map((node) => ({
        ...node,
        weights: Object.fromEntries(Object.entries(node.weights).map(([role, weight]) => [role, learnt.get(`${node.name}/${role}`) ?? weight])),
      })),
    };
  }

  /** Frees all GPU memory. Idempotent. */
  dispose(): void {
    this.runner.dispose();
  }
}
