/** What the computations on points share: the points, and how far a computation has come. */

/** `count` points of `size` coordinates each, one after the other. */
export interface Points {
  readonly count: number;
  readonly size: number;
  readonly data: Float64Array;
}

/** Computations are generators of steps, each of a few milliseconds: whoever runs them can show, pause and drop them. */
export interface Step {
  /** What is being done, in a word or two. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** [count, 2]: where the points of a map lie by now. It goes on changing: copy it to keep it. */
  readonly map?: Float64Array;
}

export type Computation<T> = Generator<Step, T, void>;

/** Runs a computation to its end at once. */
export function finish<T>(computation: Computation<T>): T {
  for (;;) {
    const next = computation.next();
    if (next.done) return next.value;
  }
}
