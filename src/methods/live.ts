/**
 * A network that follows its input live. Every layer is kept on the GPU, so another layer is looked at without
 * another forward pass; what travels back per frame is the class scores and one range per map.
 */
import { displayRange, rangeGrid } from '../../shaders/display_range.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Shape, Tensor } from '../network/network.ts';
import { stage } from '../scheduler/compile.ts';
import type { TensorRef } from '../ops/op.ts';
import { Runner } from '../scheduler/runner.ts';
import { classLayers, feed, rank, type Classification } from './activations.ts';
import { mapShape } from './unit.ts';

/** One layer as a person browses it. */
export interface LayerInfo {
  readonly name: string;
  readonly op: string;
  /** [channels, height, width] of one image; height and width are 1 where the layer has no maps. */
  readonly shape: readonly [number, number, number];
}

/** Least and greatest value of one map. */
export type MapRange = readonly [number, number];

export interface LiveReport {
  readonly classes: readonly Classification[];
  /** By channel of the layer that was asked for. */
  readonly ranges: readonly MapRange[];
}

const rangePass = (layer: string): string => `range ${layer}`;

export interface LiveOptions {
  /** Hand the view over as soon as its memory is there: layers can be shown one after another, see `shows`. */
  readonly progressive?: boolean;
}

export class LiveView {
  /** Steps of the forward pass that have been run on the x that is there. */
  private reached = 0;
  private fed = false;

  private constructor(
    readonly runner: Runner,
    readonly network: Network,
    readonly layers: readonly LayerInfo[],
  ) {}

  /** @throws usage where the network's input is no picture; limit, out-of-memory, shader, device-lost */
  static async create(engine: Engine, network: Network, options: LiveOptions = {}): Promise<LiveView> {
    const [input, ...others] = network.inputs;
    if (!input || others.length > 0 || input.shape.length !== 4) {
      const inputs = network.inputs.map(({ name, shape }) => `'${name}' [${shape}]`).join(', ');
      throw new UnitscopeError('usage', `this network does not read one picture: its inputs are ${inputs || 'none'}`, {}, 'one input [N, C, H, W] can be shown');
    }
    const names = network.nodes.map(({ name }) => name);
    const { builder, layer } = stage(network, { batch: 1, layers: names, capabilities: engine.capabilities, training: false });
    const layers = network.nodes.map(({ name, op }) => ({ name, op, shape: mapShape(layer(name).shape) }));
    for (const { name, shape: [maps, height, width] } of layers) {
      const ranges = builder.persistent(`ranges ${name}`, [maps, 2]);
      const whole = builder.persistent(`whole ${name}`, [1, 2]);
      const recorder = builder.recorder(rangePass(name), name, 'range');
      const record = (of: 'values' | 'ranges', x: TensorRef, range: TensorRef, count: number, plane: number): void =>
        recorder.dispatch({
          kernel: 'display_range',
          part: of,
          code: displayRange(of),
          tensors: { sizes: recorder.constant(`${of}.sizes`, [2], () => Uint32Array.of(count, plane)), x, range },
          grid: rangeGrid(count),
          flops: 0,
        });
      record('values', layer(name), ranges, maps, height * width);
      record('ranges', ranges, whole, 1, maps);
    }
    return new LiveView(await Runner.create(engine, builder.build(), options), network, layers);
  }

  /** Whether a layer's maps have been made of the x that is there. */
  shows(layer: string): boolean {
    const { name } = this.layer(layer);
    return this.fed && this.runner.isReady(rangePass(name)) && this.reached >= this.runner.stepsUntil(name, 'forward');
  }

  /** Shape [1, C, H, W] of x. */
  get inputShape(): Shape {
    return this.runner.tensor(this.network.inputs[0]!.name).shape;
  }

  /** Shows the network a new x; `watch` is the layer whose ranges will be asked for. */
  show(x: Tensor, watch: string): void {
    feed(this.runner, this.network, x);
    this.fed = true;
    this.reached = 0;
    if (!this.runner.complete) return this.watch(watch);
    this.reached = this.runner.readySteps('forward');
    this.runner.run(['forward', rangePass(this.layer(watch).name)]);
  }

  /** How many layers can be shown, whenever more can be run than before; ends when everything can. @throws shader, device-lost */
  async *unfold(): AsyncGenerator<number, void, void> {
    while (!this.runner.complete) {
      const before = this.runner.readySteps();
      yield this.layers.filter(({ name }) => this.shows(name)).length;
      if (this.runner.readySteps() === before) await this.runner.changed();
    }
    await this.runner.ready;
    yield this.layers.length;
  }

  /** Goes on with the x that is there as far as it can, and makes the ranges of a layer if it shows. */
  watch(layer: string): void {
    if (this.fed) this.reached = this.runner.runReady('forward', this.reached);
    if (this.shows(layer)) this.runner.runReady(rangePass(this.layer(layer).name));
  }

  /** What the network says to x, and the ranges of the watched layer; nothing of what does not show yet. */
  async report(layer: string, top = 5): Promise<LiveReport> {
    const { logits } = classLayers(this.network);
    const scores = this.reached >= this.runner.stepsUntil(logits, 'forward') && this.fed ? this.runner.read(logits) : undefined;
    const ranges = this.shows(layer) ? this.runner.read(`ranges ${this.layer(layer).name}`) : undefined;
    const [answer, { shape, data }] = await Promise.all([scores, ranges ?? { shape: [0], data: [] }]);
    return {
      classes: answer ? rank(this.network, answer.data, top) : [],
      ranges: Array.from({ length: shape[0]! }, (_, c) => [data[2 * c]!, data[2 * c + 1]!] as const),
    };
  }

  /** @throws unknown-layer */
  layer(address: string): LayerInfo {
    const { name } = findNode(this.network, address);
    return this.layers.find((info) => info.name === name)!;
  }

  dispose(): void {
    this.runner.dispose();
  }
}
