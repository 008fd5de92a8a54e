/** Methods that make many pictures of one network: a batch beside one at a time. */
import { squeezeNet } from './networks/squeezenet.ts';
import type { Row } from './row.ts';

const NETWORK = { title: 'SqueezeNet 1.1', source: { make: squeezeNet }, amplitude: 100 } as const;
const BATCHES = [1, 16];

/** The layer whose units an atlas would draw. */
const LAYER = 'fire5.3x3';

/** `SqueezeNet 1.1 fire5.3x3 x16 maximize step`, `SqueezeNet 1.1 x16 occlusion`; an image is a unit's picture, a covered picture. */
export const METHOD_ROWS: readonly Row[] = BATCHES.flatMap((batch): Row[] => {
  const { title, source, amplitude } = NETWORK;
  const row = { source, amplitude, batch } as const;
  return [
    { ...row, title: `${title} ${LAYER} x${batch} maximize step`, kind: 'maximize step', layer: LAYER, group: 'plain' },
    { ...row, title: `${title} x${batch} occlusion`, kind: 'occlusion', group: 'full' }, // half a minute a map on a processor
  ];
});
