/** Values recorded with numpy 2.4: RandomState(seed). */
import { expect, test } from 'vitest';
import { NumpyRandom, preciseLog } from '../../src/image/numpy_random.ts';

interface Recorded {
  seed: number;
  samples: number[];
  sample2000: number;
  normals: number[];
  uniforms: number[];
  /** normal(), uniform(-1, 2), normal(3, 0.5): the second of a pair waits while uniform draws. */
  mixed: number[];
  normal100001: number;
}

const RECORDED: Recorded[] = [
  {
    seed: 0,
    samples: [0.5488135039273248, 0.7151893663724195, 0.6027633760716439],
    sample2000: 0.5017731306999452,
    normals: [17.64052345967664, 4.001572083672233, 9.787379841057392, 22.40893199201458, 18.675579901499674],
    uniforms: [139.9474435014678, 182.37328842496697, 153.7046608982692, 138.9452116642087],
    mixed: [1.764052345967664, 0.8082901282149315, 3.2000786041836116],
    normal100001: -0.48379749195754734,
  },
  {
    seed: 1,
    samples: [0.417022004702574, 0.7203244934421581, 0.00011437481734488664],
    sample2000: 0.9467282696079524,
    normals: [16.243453636632417, -6.117564136500754, -5.2817175226345565, -10.729686221561705, 8.654076293246785],
    uniforms: [106.34061119915637, 183.68274582775032, 0.029165578422946092, 77.09480602111914],
    mixed: [1.6243453636632417, -0.9996568755479653, 2.694121793174962],
    normal100001: -2.252118359519573,
  },
  {
    seed: 42,
    samples: [0.3745401188473625, 0.9507143064099162, 0.7319939418114051],
    sample2000: 0.28218707469320015,
    normals: [4.967141530112327, -1.3826430117118464, 6.476885381006925, 15.230298564080254, -2.3415337472333597],
    uniforms: [95.50773030607743, 242.43214813452863, 186.6584551619083, 152.65791347024432],
    mixed: [0.4967141530112327, 1.1959818254342154, 2.930867849414408],
    normal100001: 1.0305945879905796,
  },
  {
    seed: 4294967295,
    samples: [0.0976320289940138, 0.9123828453026218, 0.78903530185164],
    sample2000: 0.17947030169391298,
    normals: [6.484086742306527, 6.6932353063381615, -10.805437227474492, 2.845010447986309, 1.1388773652167103],
    uniforms: [24.89616739347352, 232.65762555216855, 201.2040019721682, 198.90091751893428],
    mixed: [0.6484086742306527, -0.9461809780397643, 3.334661765316908],
    normal100001: 0.1035678784622017,
  },
];

test.each(RECORDED)('seed $seed draws what numpy draws, to the bit', (recorded) => {
  const draw = (count: number, next: (random: NumpyRandom) => number) => {
    const random = new NumpyRandom(recorded.seed);
    return Array.from({ length: count }, () => next(random));
  };
  const samples = draw(2000, (random) => random.randomSample());
  expect(samples.slice(0, 3)).toEqual(recorded.samples);
  expect(samples[1999]).toBe(recorded.sample2000);
  const normals = draw(100001, (random) => random.normal());
  expect(normals[100000]).toBe(recorded.normal100001);
  expect(draw(5, (random) => random.normal(0, 10))).toEqual(recorded.normals);
  expect(draw(4, (random) => random.uniform(0, 255))).toEqual(recorded.uniforms);
  const random = new NumpyRandom(recorded.seed);
  expect([random.normal(), random.uniform(-1, 2), random.normal(3, 0.5)]).toEqual(recorded.mixed);
});

test('the start image of seed 0 is the published one', () => {
  const random = new NumpyRandom(0);
  const x = Float64Array.from({ length: 3 * 227 * 227 }, () => random.normal(0, 10));
  const squares = x.reduce((sum, value) => sum + value * value, 0);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  expect(Math.sqrt(squares)).toBeCloseTo(3921.523644968777, 8);
  expect(Math.sqrt(variance)).toBeCloseTo(9.97384688004555, 11);
  expect(Array.from(x.subarray(0, 4), (value) => value.toFixed(8))).toEqual([
    '17.64052346',
    '4.00157208',
    '9.78737984',
    '22.40893199',
  ]);
});

test('the logarithm is exact where it must be and within a unit of Math.log', () => {
  expect([preciseLog(1), preciseLog(2), preciseLog(0.5)]).toEqual([0, Math.LN2, -Math.LN2]);
  const random = new NumpyRandom(3);
  for (let i = 0; i < 20000; i++) {
    const x = random.randomSample() * 2 ** -(i % 60);
    if (x > 0) expect(Math.abs(preciseLog(x) / Math.log(x) - 1)).toBeLessThan(4e-16);
  }
});

test.each([-1, 2 ** 32, 0.5, NaN])('seed %d is refused', (seed) => {
  expect(() => new NumpyRandom(seed)).toThrow(expect.objectContaining({ code: 'usage', address: { attribute: 'seed' } }));
});
