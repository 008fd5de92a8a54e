/** What every layer answers to an image, and what the network calls it. */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { findNode, producers } from '../network/lookup.ts';
import type { Network, Node, Tensor } from '../network/network.ts';
import { compile } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';

export interface ActivationOptions {
  /** Layers by node or output name. */
  readonly layers: readonly string[];
  /** Fuse layers that nobody asked for; on by default. */
  readonly fuse?: boolean;
  readonly signal?: AbortSignal;
}

/** Writes the input tensors of a run. @throws usage when one is missing or has another shape */
export function feed(runner: Runner, network: Network, inputs: Tensor | ReadonlyMap<string, Tensor>): void {
  const used = network.inputs.filter(({ name }) => runner.plan.named.has(name)); // the others no layer of this plan reads
  if (!(inputs instanceof Map) && used.length > 1) {
    throw new UnitscopeError('usage', `the network has ${used.length} inputs, one tensor was given`, {}, `give a map of ${used.map(({ name }) => `'${name}'`).join(', ')}`);
  }
  for (const { name } of used) {
    const tensor = inputs instanceof Map ? (inputs as ReadonlyMap<string, Tensor>).get(name) : (inputs as Tensor);
    const { shape } = runner.tensor(name);
    if (!tensor || tensor.shape.join() !== shape.join()) {
      throw new UnitscopeError('usage', `the input '${name}' must be [${shape}], got ${tensor ? `[${tensor.shape}]` : 'nothing'}`);
    }
    runner.write(name, tensor.data);
  }
}

/** Images in the given input, when it is one tensor; undefined leaves the batch of the file. */
export const batchOf = (inputs: Tensor | ReadonlyMap<string, Tensor>): number | undefined =>
  inputs instanceof Map ? undefined : (inputs as Tensor).shape[0];

/**
 * Runs the network on x [N, C, H, W] and returns the asked layers, [N, ...] each, by the name they were asked by.
 * Networks with several inputs take a map of tensors by input name.
 */
export async function activations(
  engine: Engine,
  network: Network,
  x: Tensor | ReadonlyMap<string, Tensor>,
  { layers, fuse, signal }: ActivationOptions,
): Promise<Map<string, Tensor>> {
  const batch = batchOf(x);
  const plan = compile(network, { layers, capabilities: engine.capabilities, ...(batch && { batch }), ...(fuse !== undefined && { fuse }) });
  const runner = await Runner.create(engine, plan);
  try {
    throwIfAborted(signal);
    feed(runner, network, x);
    runner.run(['forward']);
    const results = new Map<string, Tensor>();
    for (const layer of layers) {
      results.set(layer, await runner.read(layer));
      throwIfAborted(signal);
    }
    return results;
  } finally {
    runner.dispose();
  }
}

export interface Classification {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
  /** The score before softmax, where the network ends in one. */
  readonly logit: number;
}

/** Ops that only give the elements another shape. */
const VIEWS = ['flatten', 'identity', 'reshape'];

/** The layer that makes the numbers of a tensor, behind layers that only reshape them. */
function makerOf(network: Network, output: string): Node {
  const makers = producers(network);
  const last = findNode(network, output);
  let maker: Node | undefined = last;
  while (maker && VIEWS.includes(maker.op)) maker = makers.get(maker.inputs[0]!);
  return maker ?? last;
}

/** The layer of the class scores before softmax (or its logarithm), and the softmax after it, if there is one. */
export function classLayers(network: Network): { logits: string; softmax?: string } {
  const maker = makerOf(network, network.outputs[0]!);
  const last = ['softmax', 'log_softmax'].includes(maker.op) ? maker : findNode(network, network.outputs[0]!);
  if (last.op === 'log_softmax') return { logits: last.inputs[0]! };
  if (last.op !== 'softmax') return { logits: last.output };
  return { logits: last.inputs[0]!, softmax: last.output };
}

/** The classes of one row of logits by falling probability (softmax in double precision). */
export function rank(network: Network, logits: Float32Array, top: number): Classification[] {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exps = Float64Array.from(logits, (value) => Math.exp(value - most));
  const total = exps.reduce((a, b) => a + b, 0);
  return Array.from(logits, (logit, index) => ({
    index,
    label: network.labels?.[index] ?? `class ${index}`,
    probability: exps[index]! / total,
    logit,
  }))
    .sort((a, b) => b.logit - a.logit || a.index - b.index)
    .slice(0, top);
}

/** The `top` best classes of every image of x [N, C, H, W]. */
export async function classify(
  engine: Engine,
  network: Network,
  x: Tensor,
  { top = 5, signal }: { readonly top?: number; readonly signal?: AbortSignal } = {},
): Promise<Classification[][]> {
  const { logits } = classLayers(network);
  const results = await activations(engine, network, x, { layers: [logits], ...(signal && { signal }) });
  const { shape, data } = results.get(logits)!;
  const classes = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, n) => rank(network, data.subarray(n * classes, (n + 1) * classes), top));
}
