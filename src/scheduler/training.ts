/**
 * The plan of one training step. Its passes, in the order in which they run:
 *   draw      pictures and labels, where they are made on the GPU
 *   forward   the network, as it behaves in training
 *   loss      softmax cross-entropy and its gradient
 *   tally     the sums of losses and right answers
 *   backward  gradients of activations and of weights; a gradient that is not finite halts what follows
 *   perturb   where asked for, after a first forward, loss and backward: images moved against the network, which it then learns
 *   before    a copy of the weights, for steps that are watched
 *   update    the optimizer
 *   watch     norms of gradients, weights and their change; units that answered
 */
import { haltKernel } from '../../shaders/halt.wgsl.ts';
import { ancestors, consumers, findNode } from '../network/lookup.ts';
import type { Network, Node } from '../network/network.ts';
import { shapesOf } from '../ops/check.ts';
import type { Capabilities, TensorRef } from '../ops/op.ts';
import { PlanBuilder } from './builder.ts';
import { Lessons, type Parameter } from './lessons.ts';
import { recordLoss } from './loss.ts';
import { momentsOf, recordUpdate, type Optimizer } from './optimizer.ts';
import { recordBackward, recordForward } from './passes.ts';
import { recordPerturb } from './perturb.ts';
import type { Plan } from './plan.ts';
import { recordCopy, recordNorms, recordZeros } from './watch.ts';

export interface TrainingOptions {
  /** Layer whose output [N, K] is scored: before softmax. */
  readonly logits: string;
  readonly batch: number;
  readonly optimizer: Optimizer;
  /** Weight decay of weights with more than one axis; biases, scales and shifts have none. */
  readonly decay: number;
  /** Label smoothing, 0 to 1. */
  readonly smoothing: number;
  readonly capabilities: Capabilities;
  /** Record the pass `perturb`. */
  readonly perturb?: boolean | undefined;
  /** Records the pass `draw`, which fills `data` [N, C, H, W]. */
  readonly draw?: ((builder: PlanBuilder, data: TensorRef) => void) | undefined;
}

/** What a training plan can tell of a layer with weights, besides its parameters. */
export interface Watched {
  readonly layer: string;
  /** Parameters that have a gradient; their norms are the tensors `norms NAME` [4] f32. */
  readonly parameters: readonly Parameter[];
  /** The ReLU that reads the layer alone, directly or behind a normalization: the tensor `zeros LAYER` [C, 2] u32 tells of it. */
  readonly relu?: { readonly name: string; readonly units: number; readonly elements: number } | undefined;
}

export interface TrainingPlan {
  readonly plan: Plan;
  readonly parameters: readonly Parameter[];
  /** Moments of the optimizer for each parameter with a gradient, as names of tensors. */
  readonly moments: readonly string[];
  readonly watched: readonly Watched[];
}

/** The name of a moment's tensor. */
const momentName = (moment: string, parameter: string): string => `${moment} ${parameter}`;

/**
 * Named tensors: `data` [N, C, H, W], `labels` [N] u32, `clock` [4] u32, `schedule` [4] f32, `tally` [4] f32, `halt` [2] u32, the
 * parameters `layer/role`, their gradients `d layer/role`, their moments `m layer/role`.
 * @throws unknown-layer, model-unsupported (a layer that cannot be trained), no-gradient
 */
export function compileTraining(network: Network, options: TrainingOptions): TrainingPlan {
  const { logits, batch, optimizer, decay, smoothing, draw, perturb } = options;
  const capabilities: Capabilities = { ...options.capabilities, moved: true, f16: false };
  const needed = { ...network, nodes: ancestors(network, [logits]) };
  const shapes = shapesOf(needed, batch);
  const builder = new PlanBuilder(network.name, batch, capabilities);
  const persistent = (name: string, size: number, type: 'f32' | 'u32'): TensorRef => builder.persistent(name, [size], type);
  const [labels, schedule] = [persistent('labels', batch, 'u32'), persistent('schedule', 4, 'f32')];
  const [tally, halt] = [persistent('tally', 4, 'f32'), persistent('halt', 2, 'u32')];
  const [input] = network.inputs;
  const data = builder.persistent('data', shapes.get(input!.name)!);
  const lessons = new Lessons(builder, needed);

  draw?.(builder, data);
  const recorded = recordForward(builder, needed, shapes, new Map([[input!.name, data]]), true, lessons);
  const top = findNode(network, logits).output;
  const scores = recorded.tensors.get(top)!;
  const gradient = builder.tensor(`d ${top}`, scores.shape);
  recordLoss(builder.recorder('loss', 'loss', 'cross_entropy'), builder.recorder('tally', 'loss', 'cross_entropy'), { logits: scores, labels, gradient, tally, halt, clock: lessons.clock }, { smoothing });
  const moved = perturb ? builder.persistent('d data', data.shape) : undefined;
  recordBackward(builder, recorded, top, gradient, new Map(moved && [[input!.name, moved]]), 'gradient', lessons);
  if (moved) recordPerturb(builder.recorder('perturb', 'data', 'perturb'), { x: data, g: moved, schedule });
  lessons.check();

  const learning = lessons.parameters.filter((parameter): parameter is Parameter & { g: TensorRef } => parameter.g !== undefined);
  const before = new Map(learning.map(({ name, shape }) => [name, builder.persistent(`before ${name}`, shape)]));
  const norms = new Map(learning.map(({ name }) => [name, builder.persistent(`norms ${name}`, [4])]));
  const measure = (pass: string, { name, layer, w, g }: Parameter & { g: TensorRef }): void =>
    recordNorms(builder.recorder(pass, layer, 'norms'), { g, w, before: before.get(name)! }, norms.get(name)!);
  for (const parameter of learning) {
    measure('backward', parameter);
    builder.recorder('backward', parameter.layer, 'halt').dispatch({
      kernel: 'halt',
      code: haltKernel(),
      tensors: { norms: norms.get(parameter.name)!, clock: lessons.clock, halt },
      grid: [1, 1, 1],
      flops: 0,
    });
  }
  for (const { name, layer, w } of learning) recordCopy(builder.recorder('before', layer, 'copy'), w, before.get(name)!);
  const names = momentsOf(optimizer);
  const moments: string[] = [];
  for (const { name, layer, shape, w, g } of learning) {
    const refs = Object.fromEntries(names.map((moment) => [moment, builder.persistent(momentName(moment, name), shape)]));
    moments.push(...names.map((moment) => momentName(moment, name)));
    recordUpdate(builder.recorder('update', layer, optimizer.kind), optimizer, { w, g, moments: refs, schedule, halt }, { decay: shape.length > 1 ? decay : 0 });
  }
  for (const parameter of learning) measure('watch', parameter);
  const watched = watchedLayers(needed, learning).map((layer) => {
    const relu = layer.relu && recorded.tensors.get(layer.relu)!;
    if (!relu) return { layer: layer.layer, parameters: layer.parameters };
    const units = relu.shape[1]!;
    recordZeros(builder.recorder('watch', layer.relu!, 'zeros'), relu, builder.persistent(`zeros ${layer.layer}`, [units, 2], 'u32'));
    return { layer: layer.layer, parameters: layer.parameters, relu: { name: layer.relu!, units, elements: relu.shape.reduce((a, b) => a * b, 1) } };
  });
  return { plan: builder.build(), parameters: lessons.parameters, moments, watched };
}

/** The layers with weights, each with the ReLU that stands behind it. */
function watchedLayers(network: Network, parameters: readonly Parameter[]): { layer: string; parameters: readonly Parameter[]; relu?: string | undefined }[] {
  const readers = consumers(network);
  const reluBehind = (node: Node): string | undefined => {
    const next = readers.get(node.output) ?? [];
    if (next.length !== 1) return undefined;
    if (next[0]!.op === 'relu') return next[0]!.output;
    return next[0]!.op === 'batch_norm' ? reluBehind(next[0]!) : undefined;
  };
  return network.nodes.flatMap((node) => {
    const own = parameters.filter(({ layer }) => layer === node.name);
    return own.length > 0 ? [{ layer: node.name, parameters: own, relu: reluBehind(node) }] : [];
  });
}
