/** Network -> Plan: which layers run, fused or not, and what is kept. */
import { ancestors, findNode } from '../network/lookup.ts';
import type { Network, Shape } from '../network/network.ts';
import { shapesOf } from '../ops/check.ts';
import type { BackwardRules, Capabilities, TensorRef } from '../ops/op.ts';
import { PlanBuilder } from './builder.ts';
import { fuse } from './fuse.ts';
import { recordBackward, recordForward, type Recorded } from './passes.ts';
import type { Plan } from './plan.ts';

export interface CompileOptions {
  /** Images at once; without it the batch of the file. */
  readonly batch?: number;
  /** Layers that are computed and kept, by node or output name. */
  readonly layers: readonly string[];
  /** Record a backward pass too: from one of `layers` to every input. */
  readonly backward?: { readonly from: string } & Pick<BackwardRules, 'rule'> & Partial<BackwardRules>;
  /** Fold batch norm and fuse activations where nothing between is watched; on by default. */
  readonly fuse?: boolean;
  readonly capabilities: Capabilities;
}

/** A network under construction inside a plan: methods add their own steps around it. */
export interface Stage {
  readonly builder: PlanBuilder;
  readonly recorded: Recorded;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly inputs: ReadonlyMap<string, TensorRef>;
  /** The tensor of a kept layer. */
  layer(address: string): TensorRef;
}

/** Records the forward pass of what `layers` need; `training` and `winners` as in recordForward. Kept layers are named by node and by output name. */
export function stage(network: Network, options: Omit<CompileOptions, 'backward'> & { readonly training: boolean; readonly winners?: boolean }): Stage {
  const { layers, batch, capabilities } = options;
  const needed = { ...network, nodes: ancestors(network, layers) };
  const shapes = shapesOf(needed, batch);
  const outputs = new Set(layers.map((address) => findNode(network, address).output));
  const runnable = (options.fuse ?? true) ? fuse(needed, outputs) : needed;
  const read = new Set(runnable.nodes.flatMap((node) => node.inputs));
  const used = network.inputs.filter(({ name }) => read.has(name));
  const builder = new PlanBuilder(network.name, batch ?? network.inputs[0]?.shape[0] ?? 1, capabilities);
  const inputs = new Map(used.map(({ name }) => [name, builder.persistent(name, shapes.get(name)!)]));
  const recorded = recordForward(builder, runnable, shapes, inputs, options.training, undefined, options.winners);
  const layer = (address: string): TensorRef => recorded.tensors.get(findNode(network, address).output)!;
  for (const address of layers) {
    const node = findNode(network, address);
    builder.keep(node.output, layer(address));
    builder.keep(node.name, layer(address));
  }
  return { builder, recorded, shapes, inputs, layer };
}

/**
 * The plan of a forward pass, and of a backward pass if asked for: the seed is then the tensor named `seed`
 * (shape of the layer), the gradients are named `d <input>`.
 * @throws unknown-layer, model-unsupported, model-invalid, no-gradient
 */
export function compile(network: Network, options: CompileOptions): Plan {
  const { backward } = options;
  const kept = { training: backward !== undefined, winners: backward !== undefined && (backward.switches ?? true) };
  const { builder, recorded, inputs, layer } = stage(network, { ...options, ...kept });
  if (backward) {
    const from = findNode(network, backward.from).output;
    const seed = builder.persistent('seed', layer(backward.from).shape);
    const to = new Map([...inputs].map(([name, x]) => [name, builder.persistent(`d ${name}`, x.shape)]));
    recordBackward(builder, recorded, from, seed, to, backward);
  }
  return builder.build();
}
