/**
 * Curves (shaders/curve.wgsl.ts): sigmoid, tanh, gelu and other functions of one number. Their gradient is the true
 * one under every rule: the rules are about ReLU.
 */
import { curve as kernel, curveBackward, CURVES } from '../../shaders/curve.wgsl.ts';
import { elementwiseGrid } from '../../shaders/prelude.wgsl.ts';
import type { Op } from './op.ts';
import { elements } from './shape.ts';

/** Words that an attribute may be, where it is not a number. */
const WORDS: Readonly<Record<string, readonly string[]>> = { approximate: ['none', 'tanh'] };

/** Exponents past this leave no number but 0 and 1 within f32, and a kernel of products too long to compile. */
const MOST = 1024;

export const curves: readonly Op<Readonly<Record<string, number | string>>>[] = Object.entries(CURVES).map(([name, { attributes: defaults }]) => ({
  name,
  attributes: defaults,
  weights: {},
  arity: [1, 1],
  shape([x], attributes, _weights, refuse) {
    for (const [attribute, words] of Object.entries(WORDS)) {
      const word = attributes[attribute];
      if (word !== undefined && !words.includes(String(word))) throw refuse(`${attribute} must be ${words.join(' or ')}, got '${word}'`);
    }
    if (Math.abs(Number(attributes.exponent ?? 0)) > MOST) throw refuse(`the exponent must lie in -${MOST}..${MOST}, got ${attributes.exponent}`);
    return x!;
  },
  forward(c) {
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'curve',
      code: kernel({ name, attributes: c.attributes, count }),
      tensors: { x: c.x[0]!, y: c.y },
      grid: elementwiseGrid(count),
      flops: count,
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const count = elements(c.y.shape);
    c.dispatch({
      kernel: 'curve',
      code: curveBackward({ name, attributes: c.attributes, count, accumulate: target.accumulate }),
      tensors: { x: c.x[0]!, dy: c.dy, dx: target.tensor },
      grid: elementwiseGrid(count),
      flops: 2 * count,
    });
  },
}));
