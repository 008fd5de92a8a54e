/** ShuffleNet v2 x1.0 (Ma et al. 2018): half of the channels pass by, then the halves are shuffled. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { channelShuffle, chunk } from './view.ts';

const STAGES = [[4, 116], [8, 232], [4, 464]] as const;

export function shufflenetV2(t: Exporter): Exporter {
  const norm = (at: string, index: number, x: Value, maps: number, kernel: number, { stride = 1, groups = 1 } = {}): Value =>
    t.convNorm([`${at}.${index}`, `${at}.${index + 1}`], x, maps, kernel, { stride, groups, padding: (kernel - 1) / 2 });
  let x = relu(t, 'conv1.2', norm('conv1', 0, t.input, 24, 3, { stride: 2 }));
  x = t.probe(t.maxPool('maxpool', x, 3, 2, { padding: 1 }));
  STAGES.forEach(([blocks, maps], stage) => {
    const half = maps / 2;
    for (let block = 0; block < blocks; block++) {
      const at = `stage${stage + 2}.${block}`;
      const stride = block === 0 ? 2 : 1;
      const main = (y: Value): Value => {
        const branch = `${at}.branch2`;
        const wide = relu(t, `${branch}.2`, norm(branch, 0, y, half, 1));
        return relu(t, `${branch}.7`, norm(branch, 5, norm(branch, 3, wide, half, 3, { stride, groups: half }), half, 1));
      };
      let parts: [Value, Value];
      if (stride === 1) {
        const [passing, y] = chunk(t, at, x);
        parts = [passing, main(y)];
      } else {
        const branch = `${at}.branch1`;
        const channels = x.shape[1]!;
        parts = [relu(t, `${branch}.4`, norm(branch, 2, norm(branch, 0, x, channels, 3, { stride, groups: channels }), half, 1)), main(x)];
      }
      x = channelShuffle(t, at, t.concat(at, parts), 2);
    }
    t.probe(x);
  });
  x = relu(t, 'conv5.2', norm('conv5', 0, x, 1024, 1));
  return t.result(t.linear('fc', t.probe(t.mean('', x, [2, 3], false)), 1000));
}
