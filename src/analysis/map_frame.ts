/** The part of a map that a picture shows. */

export interface MapFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The box from the 1st to the 99th percentile of each coordinate, wider by `margin` of its size on every side: a few points that lie
 * far off do not make the others small.
 * @param map [count, 2]
 */
export function mapFrame(map: Float64Array, margin = 0.1): MapFrame {
  const [[left, width], [top, height]] = [0, 1].map((axis) => {
    const sorted = Float64Array.from({ length: map.length / 2 }, (_, i) => map[2 * i + axis]).sort();
    const [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
    return [low - margin * (high - low), (1 + 2 * margin) * (high - low)] as const;
  }) as [readonly [number, number], readonly [number, number]];
  return { left, top, width, height };
}

/** Between the values of a sorted list it is linear. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}
