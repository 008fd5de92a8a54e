/** Layers that make one tensor of several: Add, Subtract, Multiply, Divide, Average, Maximum, Minimum, Concatenate. */
import type { LayerTranslation, Mapping } from '../translation.ts';
import { plainOrder, sameOrder, type Value } from '../value.ts';

/** The inputs with as many axes as the largest has, 1 inserted behind the batch, all in one order. */
function aligned(t: LayerTranslation): Value[] {
  const { inputs } = t;
  const [first] = inputs;
  if (inputs.length < 2) throw t.invalid(`takes at least two inputs, got ${inputs.length}`);
  const alike = inputs.every(({ flattened, shape }) => (flattened?.order.join() ?? '') === (first!.flattened?.order.join() ?? '') && (flattened?.shape.join() ?? '') === (first!.flattened?.shape.join() ?? '') && shape.join() === first!.shape.join());
  if (alike && first!.flattened) return [...inputs];
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const whole = inputs.find(({ shape, flattened }) => shape.length === rank && !flattened);
  const order = whole?.order ?? plainOrder(rank);
  return inputs.map((input) => {
    if (input.shape.length === rank) return t.arrange(input, order);
    const { name, shape } = t.plain(input);
    const wide = [shape[0]!, ...new Array<number>(rank - shape.length).fill(1), ...shape.slice(1)];
    const spread = t.emit({ op: 'reshape', inputs: [name], attributes: { shape: [0, ...wide.slice(1)] }, part: 'spread' });
    return t.arrange({ name: spread, shape: wide, order: plainOrder(rank), guessed: input.guessed }, order);
  });
}

function broadcast(t: LayerTranslation, a: Value, b: Value): readonly number[] {
  return a.shape.map((size, axis) => {
    const other = b.shape[axis]!;
    if (size !== other && size !== 1 && other !== 1) throw t.invalid(`[${a.shape}] and [${b.shape}] do not fit together`);
    return size === 1 ? other : size;
  });
}

/** One op after the other, from the left. */
function folded(t: LayerTranslation, op: string): Value {
  const [first, ...rest] = aligned(t);
  return rest.reduce((sum, x) => ({ ...sum, shape: broadcast(t, sum, x), name: t.emit({ op, inputs: [sum.name, x.name] }) }), first!);
}

const fold = (op: string): Mapping => (t) => folded(t, op);

export const add = fold('add');
export const multiply = fold('multiply');
export const maximum = fold('maximum');
export const minimum = fold('minimum');

const ofTwo = (op: string): Mapping => (t) => {
  if (t.inputs.length !== 2) throw t.invalid(`takes two inputs, got ${t.inputs.length}`);
  return folded(t, op);
};

export const subtract = ofTwo('subtract');
export const divide = ofTwo('divide');

export const average: Mapping = (t) => {
  const sum = folded(t, 'add');
  const operand = t.filled(1, 1 / t.inputs.length);
  return { ...sum, name: t.emit({ op: 'multiply', inputs: [sum.name], weights: { operand } }) };
};

export const concatenate: Mapping = (t) => {
  const [first] = t.inputs;
  if (!first) throw t.invalid('has no inputs');
  const rank = first.shape.length;
  if (t.inputs.some(({ shape }) => shape.length !== rank)) throw t.invalid(`${t.inputs.map(({ shape }) => `[${shape}]`).join(', ')} have not the same number of axes`);
  const axis = t.axis(t.config.given('axis') ? t.config.whole('axis', -rank) : -1, first);
  const order = t.inputs.find(({ flattened, order: one }) => !flattened && !sameOrder(one, plainOrder(rank)))?.order ?? plainOrder(rank);
  const parts = t.inputs.map((input) => t.arrange(input, order));
  for (const { shape } of parts) {
    if (shape.some((size, at) => at !== axis && size !== first.shape[at])) throw t.invalid(`[${first.shape}] and [${shape}] cannot be joined along axis ${axis}`);
  }
  const shape = first.shape.map((size, at) => (at === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : size));
  const name = t.emit({ op: 'concat', inputs: parts.map((part) => part.name), attributes: { axis: order.indexOf(axis) } });
  return { name, shape, order, guessed: t.guessed };
};
