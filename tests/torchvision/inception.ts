/** Inception v3 (Szegedy et al. 2015) without the auxiliary classifier: 1x7 and 7x1 kernels, average pooling over padding. */
import type { Exporter } from './exporter.ts';
import { basicConv, transformed, type InceptionOptions } from './googlenet.ts';
import type { Value } from './graph.ts';
import { flatten } from './view.ts';

/** [suffix of the module's name, channels, kernel, stride]; kernels with stride 1 are padded to keep the size. */
type Step = readonly [string, number, number | readonly [number, number], number?];

/** The modules of one branch, one behind the other. */
function branch(t: Exporter, at: string, x: Value, steps: readonly Step[]): Value {
  return steps.reduce((y, [name, maps, kernel, stride = 1]) => {
    const [height, width] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    const padding = stride === 1 ? ([(height - 1) / 2, (width - 1) / 2] as const) : 0;
    return basicConv(t, `${at}.branch${name}`, y, maps, kernel, { stride, padding });
  }, x);
}

const averaged = (t: Exporter, at: string, x: Value): Value => t.averagePool(at, x, 3, 1, 1);

function blockA(t: Exporter, at: string, x: Value, pool: number): Value {
  return t.concat(at, [
    branch(t, at, x, [['1x1', 64, 1]]),
    branch(t, at, x, [['5x5_1', 48, 1], ['5x5_2', 64, 5]]),
    branch(t, at, x, [['3x3dbl_1', 64, 1], ['3x3dbl_2', 96, 3], ['3x3dbl_3', 96, 3]]),
    branch(t, at, averaged(t, at, x), [['_pool', pool, 1]]),
  ]);
}

function blockB(t: Exporter, at: string, x: Value): Value {
  return t.concat(at, [
    branch(t, at, x, [['3x3', 384, 3, 2]]),
    branch(t, at, x, [['3x3dbl_1', 64, 1], ['3x3dbl_2', 96, 3], ['3x3dbl_3', 96, 3, 2]]),
    t.maxPool(at, x, 3, 2),
  ]);
}

function blockC(t: Exporter, at: string, x: Value, c: number): Value {
  return t.concat(at, [
    branch(t, at, x, [['1x1', 192, 1]]),
    branch(t, at, x, [['7x7_1', c, 1], ['7x7_2', c, [1, 7]], ['7x7_3', 192, [7, 1]]]),
    branch(t, at, x, [['7x7dbl_1', c, 1], ['7x7dbl_2', c, [7, 1]], ['7x7dbl_3', c, [1, 7]], ['7x7dbl_4', c, [7, 1]], ['7x7dbl_5', 192, [1, 7]]]),
    branch(t, at, averaged(t, at, x), [['_pool', 192, 1]]),
  ]);
}

function blockD(t: Exporter, at: string, x: Value): Value {
  return t.concat(at, [
    branch(t, at, x, [['3x3_1', 192, 1], ['3x3_2', 320, 3, 2]]),
    branch(t, at, x, [['7x7x3_1', 192, 1], ['7x7x3_2', 192, [1, 7]], ['7x7x3_3', 192, [7, 1]], ['7x7x3_4', 192, 3, 2]]),
    t.maxPool(at, x, 3, 2),
  ]);
}

function blockE(t: Exporter, at: string, x: Value): Value {
  const three = branch(t, at, x, [['3x3_1', 384, 1]]);
  const double = branch(t, at, x, [['3x3dbl_1', 448, 1], ['3x3dbl_2', 384, 3]]);
  return t.concat(at, [
    branch(t, at, x, [['1x1', 320, 1]]),
    t.concat(at, [branch(t, at, three, [['3x3_2a', 384, [1, 3]]]), branch(t, at, three, [['3x3_2b', 384, [3, 1]]])]),
    t.concat(at, [branch(t, at, double, [['3x3dbl_3a', 384, [1, 3]]]), branch(t, at, double, [['3x3dbl_3b', 384, [3, 1]]])]),
    branch(t, at, averaged(t, at, x), [['_pool', 192, 1]]),
  ]);
}

export function inceptionV3(t: Exporter, { transformInput = false }: InceptionOptions = {}): Exporter {
  let x = basicConv(t, 'Conv2d_1a_3x3', transformInput ? transformed(t) : t.input, 32, 3, { stride: 2 });
  x = basicConv(t, 'Conv2d_2b_3x3', basicConv(t, 'Conv2d_2a_3x3', x, 32, 3), 64, 3, { padding: 1 });
  x = t.probe(t.maxPool('maxpool1', x, 3, 2));
  x = basicConv(t, 'Conv2d_4a_3x3', basicConv(t, 'Conv2d_3b_1x1', x, 80, 1), 192, 3);
  x = t.probe(t.maxPool('maxpool2', x, 3, 2));
  for (const [id, pool] of [['5b', 32], ['5c', 64], ['5d', 64]] as const) x = t.probe(blockA(t, `Mixed_${id}`, x, pool));
  x = t.probe(blockB(t, 'Mixed_6a', x));
  for (const [id, width] of [['6b', 128], ['6c', 160], ['6d', 160], ['6e', 192]] as const) x = t.probe(blockC(t, `Mixed_${id}`, x, width));
  x = t.probe(blockD(t, 'Mixed_7a', x));
  for (const id of ['7b', '7c']) x = t.probe(blockE(t, `Mixed_${id}`, x));
  return t.result(t.linear('fc', flatten(t, '', t.adaptiveAveragePool('avgpool', x, 1)), 1000));
}
