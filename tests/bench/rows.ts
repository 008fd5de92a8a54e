/** The list of rows, and which of them a run takes. */
import { LAYERS } from './layer_rows.ts';
import { METHOD_ROWS } from './method_rows.ts';
import { NETWORKS, SCALING, TRAINED } from './network_rows.ts';
import type { Group, Row } from './row.ts';

function layerRows(): Row[] {
  return LAYERS.flatMap(({ title, make, group = 'plain' }) => {
    const source = { make: () => make(title) };
    return (['forward', 'input gradient'] as const).map((kind): Row => ({ title: `${title} ${kind}`, kind, group, source, amplitude: 1, batch: 1 }));
  });
}

function networkRows(): Row[] {
  return NETWORKS.flatMap(({ title, source, amplitude, group }) =>
    (['forward', 'forward + gradient', 'maximize step'] as const).map((kind): Row => ({ title: `${title} ${kind}`, kind, group, source, amplitude, batch: 1 })),
  );
}

/** The title names the batch: `small network x16 training step`. */
function trainingRows(): Row[] {
  const kind = 'training step';
  return TRAINED.map(({ title, source, amplitude, group, batch }): Row => ({ title: `${title} x${batch} ${kind}`, kind, group, source, amplitude, batch }));
}

/** The title names batch and size: `scaling SqueezeNet 1.1 4x224 forward`. */
function scalingRows(): Row[] {
  const { title, source, amplitude, layer, points } = SCALING;
  return points.flatMap(([batch, size]) =>
    (['forward', 'forward + gradient'] as const).map(
      (kind): Row => ({ title: `scaling ${title} ${batch}x${size} ${kind}`, kind, group: 'scaling', source, amplitude, batch, size, layer }),
    ),
  );
}

export const ROWS: readonly Row[] = [...layerRows(), ...networkRows(), ...METHOD_ROWS, ...trainingRows(), ...scalingRows()];

export interface Choice {
  readonly only?: string | undefined;
  readonly quick: boolean;
  readonly full: boolean;
  readonly scaling: boolean;
}

/** The rows of a run, in order. A pattern finds every row, but with `--quick` or `--scaling` only those of the group. */
export function chooseRows({ only, quick, full, scaling }: Choice): Row[] {
  const groups: readonly Group[] = scaling ? ['scaling'] : quick ? ['quick'] : full ? ['quick', 'plain', 'full'] : ['quick', 'plain'];
  const pattern = only === undefined ? undefined : new RegExp(only, 'i');
  const everyGroup = pattern !== undefined && !quick && !scaling;
  return ROWS.filter(({ title, group }) => (pattern?.test(title) ?? true) && (everyGroup || groups.includes(group)));
}
