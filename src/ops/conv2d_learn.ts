/**
 * The gradients of a convolution's weights and bias. On a software adapter register tiles run over x once it is laid out
 * (border, phases); a GPU multiplies tiles in workgroup memory, except where a group is too small for them. Long sums are
 * made in parts, which are added up last, in a fixed order: the same bits at every run.
 */
import { conv2dLearn, LEARN_SIZES, learnSizes } from '../../shaders/conv2d_learn.wgsl.ts';
import { conv2dLearnShared, LEARN_DEPTH, LEARN_SHARED_SIZES, LEARN_TILE, learnSharedSizes } from '../../shaders/conv2d_learn_shared.wgsl.ts';
import { gatedGradient } from './activation.ts';
import { recordBias } from './bias_learn.ts';
import { layOut, layoutOf } from './conv2d_direct.ts';
import { learnPlan, walksOf, type LearnLayer } from './conv2d_learn_tile.ts';
import type { Conv2dAttributes } from './conv2d_problem.ts';
import { inParts } from './learn_parts.ts';
import type { LearnContext, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

interface Operands {
  readonly x: TensorRef;
  readonly dy: TensorRef;
  readonly dw: TensorRef;
}

/** Terms of one sum: longer ones are made in parts. */
const MOST_TERMS = 8192;
/** Invocations that keep the processors of a software adapter, and a GPU, busy; workgroups for the latter. */
const BUSY = { software: 4 * 96, gpu: 65536, workgroups: 512 } as const;
/** Turns that are worth a part of their own, whose results are stored and loaded once more. */
const FEWEST_TURNS = { software: 32, gpu: 8 } as const;

const flopsOf = (l: LearnLayer): number => 2 * l.images * l.groups * l.outputs * l.outHeight * l.outWidth * l.channels * elements(l.kernel);

/** Records the gradient of the weights [groups M, C, KH, KW]. */
export function recordLearn(recorder: Recorder, layer: LearnLayer, operands: Operands): void {
  const { software } = recorder.capabilities;
  const isSmall = layer.outputs * layer.channels * elements(layer.kernel) < LEARN_TILE;
  if (software || isSmall) recordTiles(recorder, layer, operands);
  else recordShared(recorder, layer, operands);
}

function recordTiles(recorder: Recorder, layer: LearnLayer, { x, dy, dw }: Operands): void {
  const { capabilities } = recorder;
  const { software } = capabilities;
  const { groups, channels, outputs, kernel, stride, dilation } = layer;
  const window = { ...layer, x: { ...x, shape: [layer.images, groups * channels, layer.height, layer.width] }, insert: [1, 1] as const };
  const layout = layoutOf(window);
  const plane = layout.height * layout.width;
  const walks = walksOf(layer, { plane, width: layout.width, aligned: layout.aligned });
  const { tile, walk, spread, units, padded } = learnPlan(layer, walks, capabilities);
  const laid = layOut(recorder, 'learn', window, layout);
  const tiles = Math.ceil(outputs / tile.tileM);
  const terms = walk.length * walk.lines * walk.blocks;
  const runs = Math.ceil(walk.length / tile.run);
  const adapter = software ? 'software' : 'gpu';
  const worthwhile = (walk.blocks * walk.lines * runs) / FEWEST_TURNS[adapter];
  const wanted = Math.max(terms / MOST_TERMS, Math.min(BUSY[adapter] / (groups * padded * tiles), worthwhile));
  const past = (distances: typeof walk.dy): { step: number; block: number; nextLine: number; nextBlock: number } => ({
    step: distances.step,
    block: distances.block,
    nextLine: distances.line - runs * tile.run * distances.step,
    nextBlock: distances.block - walk.lines * distances.line,
  });
  const [inDy, inX] = [past(walk.dy), past(walk.x)];
  const workgroup = software ? 4 : 64;
  inParts(recorder, 'learn', dw, walk.blocks, wanted, (target, parts, perPart) => {
    const sizes = recorder.constant('learn.sizes', [LEARN_SIZES], () =>
      learnSizes({
        groups, channels, outputs, units, padded, plane, perPart,
        width: layout.width,
        length: walk.length,
        lines: walk.lines,
        turns: walk.lines * runs,
        blocks: walk.blocks,
        count: elements(dw.shape),
        last: elements(laid.shape) - 1,
        dyChannel: layer.outHeight * layer.outWidth,
        dyStep: inDy.step,
        dyBlock: inDy.block,
        dyNextLine: inDy.nextLine,
        dyNextBlock: inDy.nextBlock,
        xStep: inX.step,
        xBlock: inX.block,
        xNextLine: inX.nextLine,
        xNextBlock: inX.nextBlock,
      }),
    );
    recorder.dispatch({
      kernel: 'conv2d_learn',
      part: 'weight',
      code: conv2dLearn({
        ...tile, kernel, stride, dilation, spread, workgroup,
        along: walk.along,
        ragged: walk.length % tile.run > 0,
        guard: outputs % tile.tileM === 0 ? 0 : spread && outputs % 4 === 0 ? 4 : 1,
        raggedChannels: channels % tile.channels > 0,
      }),
      tensors: { sizes, x: laid, dy, dw: target },
      grid: [Math.ceil((groups * padded) / workgroup), tiles, parts],
      flops: flopsOf(layer),
      choice: {
        variant: `${tile.tileM} outputs x ${tile.channels}x${tile.rows}x${tile.columns} taps`,
        why: `predicted the cheapest tile, ${tile.run} terms a turn along ${walk.along}`,
      },
    });
  });
}

function recordShared(recorder: Recorder, layer: LearnLayer, { x, dy, dw }: Operands): void {
  const { images, groups, channels, outputs, kernel, stride, dilation, top, left, height, width, outHeight, outWidth } = layer;
  const taps = elements(kernel);
  const columns = channels * taps;
  const tiles = Math.ceil(outputs / LEARN_TILE);
  const across = Math.ceil(columns / LEARN_TILE);
  const positions = images * outHeight * outWidth;
  const turns = Math.ceil(positions / LEARN_DEPTH);
  const wanted = Math.max(positions / MOST_TERMS, Math.min(BUSY.workgroups / (across * groups * tiles), turns / FEWEST_TURNS.gpu));
  inParts(recorder, 'learn', dw, turns, wanted, (target, parts, perPart) => {
    const sizes = recorder.constant('learn.sizes', [LEARN_SHARED_SIZES], () =>
      learnSharedSizes({
        groups, channels, outputs, columns, tiles, height, width, outWidth, positions, taps, top, left,
        area: outHeight * outWidth,
        kernelWidth: kernel[1],
        strideY: stride[0],
        strideX: stride[1],
        dilationY: dilation[0],
        dilationX: dilation[1],
        turns: perPart,
      }),
    );
    recorder.dispatch({
      kernel: 'conv2d_learn_shared',
      part: 'weight',
      code: conv2dLearnShared(),
      tensors: { sizes, x, dy, dw: target },
      grid: [across, groups * tiles, parts],
      flops: flopsOf(layer),
      choice: { variant: `shared ${LEARN_TILE}x${LEARN_TILE}`, why: `the sum of ${positions} terms in ${parts} part(s)` },
    });
  });
}

/** Records the gradients of a convolution's weights. */
export function learnConv2d(c: LearnContext<Conv2dAttributes>): void {
  const { weight, bias } = c.dw;
  const { stride, dilation, padding, groups } = c.attributes;
  const dy = gatedGradient(c);
  const [images, all, height, width] = c.x[0]!.shape as [number, number, number, number];
  const [, outputs, outHeight, outWidth] = c.y.shape as [number, number, number, number];
  if (weight) {
    const [, , ...kernel] = weight.shape as [number, number, number, number];
    const layer: LearnLayer = {
      images, groups, kernel, stride, dilation, height, width, outHeight, outWidth,
      channels: all / groups,
      outputs: outputs / groups,
      top: padding[0],
      left: padding[1],
    };
    recordLearn(c, layer, { x: c.x[0]!, dy, dw: weight });
  }
  if (bias) recordBias(c, dy, bias);
}
