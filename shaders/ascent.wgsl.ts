/**
 * What the kernels of activation maximization share: the words of the per-image state and settings.
 * The letters follow Yosinski et al. 2015: xx is the image in pixel units (0..255) with the mean subtracted.
 */

/** u32 words of one image's state; floats are stored by their bits. */
export const STATE = {
  /** 0 running, else a STOP reason. */
  status: 0,
  /** Iteration under way, and the next one. */
  step: 1,
  next: 2,
  best: 3,
  /** 1 in the iteration that improves on the best score. */
  improved: 4,
  /** 1 once the unit has been the layer's argmax; `crowned` is 1 in the iteration where it first is. */
  argmax: 5,
  crowned: 6,
  rate: 7,
  words: 8,
} as const;

export const STOP = { running: 0, noGradient: 1, notFinite: 2 } as const;

/** f32 words of one image's settings. */
export const SETTING = {
  policy: 0,
  rate: 1,
  maxRate: 2,
  desired: 3,
  early: 4,
  late: 5,
  /** 1 - decay. */
  keep: 6,
  /** Radius of the blur kernel in pixels; 0 = no blur. */
  blurTaps: 7,
  blurEvery: 8,
  iterations: 9,
  /** Rank and fraction of the four percentiles, three words each: on, rank, fraction. */
  percentiles: 10,
  words: 22,
} as const;

export const POLICY = { constant: 0, progress: 1, progress01: 2, normalized: 3 } as const;

/** Kinds of clip in the order in which they are applied. */
export const CLIPS = ['smallValue', 'smallNorm', 'contribution', 'absContribution'] as const;
export type ClipKind = (typeof CLIPS)[number];

/** f32 words of one image's progress record. */
export const PROGRESS = { score: 0, top: 1, argmax: 2, norm: 3, distance: 4, std: 5, gradient: 6, rate: 7, status: 8, words: 12 } as const;

/** Rows of the progress ring: the most iterations of one submission. */
export const PROGRESS_ROWS = 64;

/** Largest blur radius in pixels (standard deviation 10). */
export const MAX_BLUR_TAPS = 40;

/** Longest radius that `radius` standard deviations need: int(4 sigma + 0.5), as scipy truncates. */
export const blurTaps = (sigma: number): number => Math.floor(4 * sigma + 0.5);

/** WGSL: true while image n still moves; an image is seen once more than it is moved. */
export const moving = `
fn moving(n: u32) -> bool {
  let at = n * ${STATE.words}u;
  return state[at + ${STATE.status}u] == 0u && f32(state[at + ${STATE.step}u]) + 1.0 < settings[n * ${SETTING.words}u + ${SETTING.iterations}u];
}`;

/**
 * Invocations of the kernels that put an image's partial results together. Few, and with little workgroup memory: on a
 * software adapter both are dear, the memory already when the kernel is compiled.
 */
export const FOLD = 32;

/** WGSL: adds up FOLD partial results in a fixed order, eight lanes by eight and then those eight; lane 0 has the result. */
export const fold = (add: (other: string) => string): string => `
  workgroupBarrier();
  if (local < 8u) {
    for (var other = local + 8u; other < ${FOLD}u; other += 8u) { ${add('other')} }
  }
  workgroupBarrier();
  if (local == 0u) {
    for (var other = 1u; other < 8u; other++) { ${add('other')} }
  }`;
