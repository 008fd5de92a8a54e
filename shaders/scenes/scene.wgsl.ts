/**
 * A scene: an object of a class, drawn from an integer seed, in a random pose, palette and light, before a backdrop.
 *   y[n] = picture of seeds[n]        y [N, 3, S, S] f32, RGB 0..1 as shown (sRGB-like)        seeds [N] u32        frames [N] f32, seconds
 * One kernel per class, for the images first .. first + count of the batch. One invocation draws some pixels of one image.
 *
 * A painter gives the class its look, in the object's own frame: p in about [-1, 1]^2, x to the right, y upwards.
 *   object:   `fn paint(p: vec2f, s: Scene) -> vec4f`        premultiplied linear colour and coverage (see colour.wgsl.ts: over)
 *             `fn silhouette(p: vec2f, s: Scene) -> f32`     about the signed distance of its outline, for the shadow
 *   pattern:  `fn paint(p: vec2f, s: Scene) -> vec4f`        of the whole plane (coverage 1); shown everywhere or in a large shape
 * Own names of a painter begin with the name of the class, so that painters can share parts. Numbers that a painter draws
 * itself are pick(s.seed, k) with k < 32, and s.r0 .. s.r3 are there already. Moving parts follow s.time, 0 in a still picture.
 */
import { linearGrid, linearMain } from '../prelude.wgsl.ts';
import { BACKDROP } from './backdrop.wgsl.ts';
import { COLOUR } from './colour.wgsl.ts';
import { CURVES } from './curves.wgsl.ts';
import { HASH } from './hash.wgsl.ts';
import { SHAPES } from './shapes.wgsl.ts';

export interface ScenePainter {
  readonly name: string;
  readonly kind: 'object' | 'pattern';
  /** WGSL of `paint` (and `silhouette`), and what they call besides the shared functions. */
  readonly text: string;
  /** How far the object turns from upright, in turns to either side; 0.06 unless told, 0.5 is any way. */
  readonly spin?: number;
  /** How far the middle of a pattern lies from that of the picture, at most, along each axis; 1 unless told. */
  readonly shift?: number;
  /** May face left as well as right. */
  readonly flips?: boolean;
}

/** Pixels of one invocation: the pose and the palette are worked out once for them. */
const PIXELS = 8;

export interface SceneKernel {
  readonly painter: ScenePainter;
  /** A number of the class's own, so that equal seeds of two classes share nothing. */
  readonly salt: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  readonly first: number;
  readonly count: number;
  /** Whether `frames` is bound. */
  readonly timed?: boolean;
}

const invocations = (size: number): number => Math.ceil((size * size) / PIXELS);

export const sceneGrid = ({ size, count }: Pick<SceneKernel, 'size' | 'count'>): [number, number, number] => linearGrid(count * invocations(size));

const SCENE = `
struct Scene {
  seed: u32,
  time: f32,
  // Width of a pixel in the object's frame and in the picture's.
  pixel: f32,
  dot: f32,
  // Unit vectors towards the light, in the object's frame and in the picture's.
  light: vec2f,
  sun: vec2f,
  // Where the object lies in the picture, and about its half width.
  place: vec2f,
  span: f32,
  // The palette in linear light: hue (turns) of the main colour, three colours that go together, a dark and a pale one; the backdrop's two.
  hue: f32,
  main: vec3f,
  second: vec3f,
  accent: vec3f,
  deep: vec3f,
  pale: vec3f,
  ground: vec3f,
  sky: vec3f,
  // Sixteen random numbers in [0, 1) for the painter.
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}
`;

/** From picture to object: p = (q - place) turned, sheared and scaled. */
const pose = ({ kind, spin = 0.06, shift = 1, flips = false }: ScenePainter): string => `
struct Pose { place: vec2f, x: vec2f, y: vec2f }
fn posed(seed: u32, time: f32) -> Pose {
  let r = pick4(seed, 8u);
  let t = pick4(seed, 9u);
  ${kind === 'object' ? 'let scale = 0.52 + 0.42 * r.x;' : 'let scale = 0.62 + 0.5 * r.x;'}
  let free = ${kind === 'object' ? '1.05 - scale' : shift.toFixed(4)};
  let place = free * (2.0 * t.xy - 1.0) + 0.02 * vec2f(wave(0.19 * time + t.z), wave(0.31 * time + t.w));
  let turn = ${spin.toFixed(4)} * (2.0 * r.y - 1.0) + 0.012 * wave(0.23 * time + r.z);
  let d = direction(turn);
  let shear = 0.2 * (r.z - 0.5);
  let tall = 1.0 + 0.16 * (r.w - 0.5);
  let flip = ${flips ? 'select(-1.0, 1.0, t.z < 0.5)' : '1.0'};
  // The rows of the inverse of turn, shear, stretch and scale.
  let x = vec2f(d.x, d.y) / scale;
  let y = vec2f(-d.y, d.x) / (scale * tall);
  return Pose(place, flip * (x - shear * y), y);
}
`;

const PALETTE = `
// Harmonies by the distance of hues: neighbours, a triad, opposites.
fn paletteOf(seed: u32, time: f32, at: Pose, pixel: f32, seen: f32) -> Scene {
  let r = pick4(seed, 32u);
  let t = pick4(seed, 33u);
  let u = pick4(seed, 34u);
  let hue = r.x;
  let apart = select(select(0.09, 0.34, r.y < 0.66), 0.5, r.y < 0.33) * select(-1.0, 1.0, r.z < 0.5);
  let behind = hue + 0.5 * select(apart, 1.0, r.w < 0.5) + 0.2 * (t.x - 0.5);
  let lightness = 0.22 + 0.42 * t.y;
  let sun = direction(0.125 + 0.25 * t.z + 0.02 * wave(0.11 * time + t.w));
  let light = vec2f(dot(at.x, sun), dot(at.y, sun));
  return Scene(
    seed, time, pixel, seen, light / length(light), sun, at.place, seen / pixel, hue,
    tint(hue, 0.5 + 0.28 * u.x, 0.53 + 0.12 * t.w),
    tint(hue + apart, 0.4 + 0.34 * u.y, 0.52 + 0.16 * u.z),
    tint(hue + 0.5 * apart + 0.5, 0.5 + 0.3 * u.w, 0.56),
    tint(hue + 0.45, 0.3, 0.16 + 0.06 * u.x),
    tint(hue + 0.06, 0.09, 0.9 + 0.05 * u.y),
    tint(behind, 0.12 + 0.33 * u.z, lightness),
    tint(behind + 0.16 * (u.w - 0.5), 0.08 + 0.26 * u.x, lightness + 0.16 + 0.16 * u.y),
    pick4(seed, 12u), pick4(seed, 13u), pick4(seed, 14u), pick4(seed, 15u),
  );
}
`;

const COMPOSE = {
  object: `
fn compose(q: vec2f, p: vec2f, fall: vec2f, s: Scene) -> vec3f {
  var colour = clutter(backdrop(q, s), q, s);
  colour *= 1.0 - 0.5 * softCover(silhouette(p + fall, s), 0.13);
  let object = paint(p, s);
  colour = colour * (1.0 - object.w) + object.xyz;
  return before(colour, q, s);
}`,
  pattern: `
fn compose(q: vec2f, p: vec2f, fall: vec2f, s: Scene) -> vec3f {
  let r = pick4(s.seed, 60u);
  let half = 0.62 + 0.2 * r.y;
  let c = q - (1.0 - half) * (2.0 * r.zw - 1.0);
  var d = -1.0;
  if (r.x < 0.5) { d = select(circle(c, half + 0.1), roundedBox(rotate(c, 0.2 * (r.y - 0.5)), vec2f(half, half * (0.75 + 0.25 * r.z)), 0.3 * r.w), r.x < 0.25); }
  var colour = clutter(backdrop(q, s), q, s);
  colour *= 1.0 - 0.45 * softCover(d - 0.04, 0.12);
  let drawn = paint(p, s).xyz * (1.0 + 0.22 * dot(q, s.sun)) * (1.0 - 0.25 * hump(d, 0.04));
  return before(mix(colour, drawn, cover2(d, s)), q, s);
}`,
};

export function sceneKernel({ painter, salt, size, first, count, timed = false }: SceneKernel): string {
  const stride = invocations(size);
  const plane = size * size;
  return `@group(0) @binding(0) var<storage, read> seeds: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
${timed ? '@group(0) @binding(2) var<storage, read> frames: array<f32>;' : ''}
${SCENE}${HASH}${CURVES}${SHAPES}${COLOUR}${pose(painter)}${PALETTE}${BACKDROP}
${painter.text}
${COMPOSE[painter.kind]}

${linearMain(count * stride)}
  let image = ${first}u + i / ${stride}u;
  let seed = hash(seeds[image] ^ ${salt >>> 0}u);
  let time = ${timed ? 'frames[image]' : '0.0'};
  let at = posed(seed, time);
  let seen = ${(2 / size).toPrecision(9)};
  let s = paletteOf(seed, time, at, seen * sqrt(max(dot(at.x, at.x), dot(at.y, at.y))), seen);
  let fall = 0.09 * s.light;
  // Exposure and colour of the light, a darker rim.
  let e = pick4(seed, 36u);
  let exposure = (0.8 + 0.45 * e.x) * (1.0 + 0.16 * (e.yzw - 0.5));
  let grain = 0.01 + 0.03 * pick(seed, 148u);
  for (var k = 0u; k < ${PIXELS}u; k++) {
    let pixel = i % ${stride}u + k * ${stride}u;
    if (pixel < ${plane}u) {
      let q = vec2f((f32(pixel % ${size}u) + 0.5) * seen - 1.0, 1.0 - (f32(pixel / ${size}u) + 0.5) * seen);
      let p = vec2f(dot(at.x, q - at.place), dot(at.y, q - at.place));
      let light = compose(q, p, fall, s) * exposure * (1.0 - 0.1 * dot(q, q));
      let noisy = sqrt(clamp(light, vec3f(0), vec3f(1))) + grain * (cellPick(vec2f(f32(pixel), 0), seed) + cellPick(vec2f(f32(pixel), 1), seed) - 1.0);
      let shown = clamp(noisy, vec3f(0), vec3f(1));
      let base = image * ${3 * plane}u + pixel;
      y[base] = shown.x;
      y[base + ${plane}u] = shown.y;
      y[base + ${2 * plane}u] = shown.z;
    }
  }
}
`;
}
