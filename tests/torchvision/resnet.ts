/** ResNet-18 and ResNet-50 (He et al. 2015); in the bottleneck the 3x3 convolution has the stride. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { flatten } from './view.ts';

const BLOCKS = { 18: [2, 2, 2, 2], 50: [3, 4, 6, 3] } as const;

export function resnet(t: Exporter, layers: keyof typeof BLOCKS): Exporter {
  const bottleneck = layers === 50;
  const norm = (at: string, part: string, x: Value, maps: number, kernel: number, stride = 1): Value =>
    t.convNorm([`${at}conv${part}`, `${at}bn${part}`], x, maps, kernel, { stride, padding: (kernel - 1) / 2 });
  let x = relu(t, 'relu', norm('', '1', t.input, 64, 7, 2));
  x = t.probe(t.maxPool('maxpool', x, 3, 2, { padding: 1 }));
  for (const [stage, blocks] of BLOCKS[layers].entries()) {
    const width = 64 << stage;
    for (let block = 0; block < blocks; block++) {
      const at = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const maps = bottleneck ? 4 * width : width;
      let y = x;
      if (bottleneck) {
        y = relu(t, `${at}.relu`, norm(`${at}.`, '1', y, width, 1));
        y = relu(t, `${at}.relu`, norm(`${at}.`, '2', y, width, 3, stride));
        y = norm(`${at}.`, '3', y, maps, 1);
      } else {
        y = relu(t, `${at}.relu`, norm(`${at}.`, '1', y, width, 3, stride));
        y = norm(`${at}.`, '2', y, maps, 3);
      }
      if (x.shape[1] !== maps) x = t.convNorm([`${at}.downsample.0`, `${at}.downsample.1`], x, maps, 1, { stride });
      x = relu(t, `${at}.relu`, t.add(at, y, x));
    }
    t.probe(x);
  }
  return t.result(t.linear('fc', flatten(t, '', t.probe(t.adaptiveAveragePool('avgpool', x, 1))), 1000));
}
