/** Which layer and unit are looked at where nobody says, or somebody names what is not there. */
import type { LayerInfo } from '../src/index.ts';
import type { Notice } from './state.ts';

export const clampUnit = (unit: number, channels: number): number => Math.max(0, Math.min(channels - 1, unit));

/** The layer of that name; else the last convolution with maps; else the last layer. */
export function chooseLayer(layers: readonly LayerInfo[], name?: string): LayerInfo {
  const maps = layers.filter(({ op, shape: [, height, width] }) => op === 'conv2d' && height * width > 1);
  return layers.find((layer) => layer.name === name) ?? maps.at(-1) ?? layers.at(-1)!;
}

/** What to say of a unit that a layer does not have. */
export const noUnit = ({ name, shape: [channels] }: LayerInfo, unit: number): Omit<Notice, 'id'> => ({
  kind: 'info',
  title: `${name} has no unit ${unit}`,
  text: `Its units are 0 to ${channels - 1}.`,
});
