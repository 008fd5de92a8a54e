/**
 * A step of stochastic gradient descent, with momentum, Nesterov's or plain, and L2 decay.
 *   d = g + decay w      v = momentum v + d      w = w - rate v, Nesterov: w - rate (d + momentum v), no momentum: w - rate d
 * Tensors: update.wgsl.ts. Source: Sutskever et al. 2013, in the form of PyTorch's SGD, dampening 0.
 */
import { f32 } from './prelude.wgsl.ts';
import { updateKernel, type UpdateParameters } from './update.wgsl.ts';

export interface SgdParameters extends UpdateParameters {
  readonly momentum: number;
  readonly nesterov: boolean;
}

export function sgd(p: SgdParameters): string {
  const { count, decay } = p;
  const momentum = f32(p.momentum);
  return updateKernel(count, p.momentum > 0 ? ['v'] : [], 'let rate = schedule[0];', (at, k) => {
    const d = `let d${k} = g${k}${decay > 0 ? ` + ${f32(decay)} * w${k}` : ''};`;
    if (p.momentum === 0) return `${d}\n  w[${at}] = w${k} - rate * d${k};`;
    const way = p.nesterov ? `(d${k} + ${momentum} * n${k})` : `n${k}`;
    return `${d}\n  let n${k} = ${momentum} * v${k} + d${k};\n  v[${at}] = n${k};\n  w[${at}] = w${k} - rate * ${way};`;
  });
}
