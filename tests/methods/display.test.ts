/** What is drawn, pixel by pixel: read from a sink, compared with the pictures that the CPU makes of the same numbers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Display, gridOfMaps, LiveView, Maximizer, parseUnit, Surface, type ColorMapName, type Image, type Network, type Tensor } from '../../src/index.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

/** x [1, 3, 5, 7] -> conv 1 x 1 -> y [1, 4, 5, 7], whose weights pass red, -green, blue, 0; then a dense layer. */
const network: Network = {
  name: 'drawn',
  inputs: [{ name: 'x', shape: [1, 3, 5, 7] }],
  outputs: ['score'],
  preprocess: { channels: 'BGR', range: 255, mean: [10, 20, 30], std: [1, 1, 1], fit: 'stretch' },
  nodes: [
    {
      name: 'y', output: 'y', op: 'conv2d', inputs: ['x'], attributes: {},
      weights: { weight: { shape: [4, 3, 1, 1], data: Float32Array.from([1, 0, 0, 0, -1, 0, 0, 0, 1, 0, 0, 0]) } },
    },
    { name: 'z', output: 'z', op: 'relu', inputs: ['y'], attributes: {}, weights: {} },
    { name: 'score', output: 'score', op: 'dense', inputs: ['z'], attributes: {}, weights: { weight: { shape: [3, 140], data: Float32Array.from({ length: 420 }, (_, i) => Math.sin(i)) } } },
  ],
};
const x: Tensor = { shape: [1, 3, 5, 7], data: Float32Array.from({ length: 105 }, (_, i) => ((i * 37) % 101) - 20) };

/** A surface of a size that no row of a texture copy is aligned to, and what was put on it. */
function sink(width: number, height: number): { surface: Surface; image: () => Image } {
  let image: Image | undefined;
  const put = (data: Uint8ClampedArray<ArrayBuffer>): unknown => (image = { width, height, data });
  return { surface: Surface.onSink(engine(), { width, height, put }), image: () => image! };
}

const colour = ({ data, width }: Image, left: number, top: number): number[] => [...data.slice((top * width + left) * 4, (top * width + left) * 4 + 4)];

describe('maps', () => {
  let live: LiveView;
  let display: Display;
  beforeAll(async () => {
    live = await LiveView.create(engine(), network);
    display = new Display(engine());
    live.show(x, 'y');
  });

  test.each([
    ['y', 'diverging', 'shared'], ['y', 'diverging', 'each'], ['z', 'ember', 'shared'], ['z', 'grey', 'each'],
  ] as const)('of %s in %s, %s', async (layer, map: ColorMapName, contrast) => {
    live.watch(layer);
    const cell = 7; // one pixel a value; maps of 5 x 7 stand in the middle of 7 x 7
    const { surface, image } = sink(2 * cell, 2 * cell);
    await display.drawGrid(surface, live, layer, { map, scale: contrast === 'each' ? 'map' : 'layer', gamma: 1 }, { columns: 2, cell, gap: 0 });
    const expected = gridOfMaps(await live.runner.read(layer), { map, contrast, columns: 2, gap: 0 });
    for (let channel = 0; channel < 4; channel++) {
      for (let i = 0; i < 35; i++) {
        const [left, top] = [(channel % 2) * 7 + (i % 7), Math.floor(i / 7)];
        const drawn = colour(image(), left, Math.floor(channel / 2) * 7 + 1 + top);
        const wanted = colour(expected, left, Math.floor(channel / 2) * 5 + top);
        drawn.forEach((byte, c) => expect(Math.abs(byte - wanted[c]!), `${layer}:${channel} value ${i}`).toBeLessThanOrEqual(6));
      }
      expect(colour(image(), (channel % 2) * 7, Math.floor(channel / 2) * 7)).toEqual([0, 0, 0, 0]);
    }
  });

  test('report the ranges and the classes, and follow another x', async () => {
    const { ranges, classes } = await live.report('y');
    const { data } = await live.runner.read('y');
    for (const [c, [low, high]] of ranges.entries()) {
      const map = data.subarray(c * 35, (c + 1) * 35);
      expect([low, high]).toEqual([Math.min(...map), Math.max(...map)]);
    }
    expect(classes).toHaveLength(3);
    live.show({ ...x, data: x.data.map((value) => -value) }, 'y');
    expect((await live.report('y')).ranges[0]).toEqual([-ranges[0]![1], -ranges[0]![0]]);
  });

  test('show what is not finite in magenta', async () => {
    live.show({ ...x, data: x.data.map((value, i) => (i === 0 ? NaN : value)) }, 'y');
    const { surface, image } = sink(7, 7);
    await display.drawMap(surface, live, 'y', 0, { map: 'auto', scale: 'layer', gamma: 1 });
    expect(colour(image(), 0, 1)).toEqual([255, 0, 255, 255]);
    expect(colour(image(), 1, 1)).not.toEqual([255, 0, 255, 255]);
  });
});

test('a climbed image is saved as its pixels, or stretched around mid grey', async () => {
  const maximizer = await Maximizer.create(engine(), network, { units: [parseUnit(network, 'y:0')], seeds: [3] });
  const levels = await maximizer.read('last');
  const peak = levels.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const [stretched] = await maximizer.pictures('last', 'stretched');
  const [h, w] = levels.shape.slice(2) as [number, number]; // the middle one of three channels is green in every order
  for (let i = 0; i < h * w; i++) {
    const expected = 127.5 + (127.5 * levels.data[h * w + i]!) / peak;
    expect(Math.abs(stretched!.data[4 * i + 1]! - expected)).toBeLessThanOrEqual(0.51);
  }
  expect(stretched!.data).not.toEqual((await maximizer.pictures('last'))[0]!.data);
  maximizer.dispose();
});

test('a climbing image is drawn as the picture that is saved', async () => {
  const maximizer = await Maximizer.create(engine(), network, { units: [parseUnit(network, 'y:0')], seeds: [3] });
  const { surface, image } = sink(7, 5);
  await new Display(engine()).drawImage(surface, maximizer);
  const [picture] = await maximizer.pictures('last');
  for (let i = 0; i < 35 * 4; i++) expect(Math.abs(image().data[i]! - picture!.data[i]!)).toBeLessThanOrEqual(1);
  maximizer.dispose();
});
