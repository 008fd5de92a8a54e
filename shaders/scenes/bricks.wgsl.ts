/** A brick wall: courses in running, third or wild bond, each brick of its own burn, worn edges, mortar, the shade of leaves that move. */
import type { ScenePainter } from './scene.wgsl.ts';

export const bricks: ScenePainter = {
  name: 'bricks',
  kind: 'pattern',
  spin: 0.07,
  text: `
fn paint(p: vec2f, s: Scene) -> vec4f {
  let courses = 1.9 + 1.6 * s.r0.x;
  let long = 2.0 + 0.9 * s.r0.y;
  let settled = p + 0.045 * (vec2f(noise(p * 2.3, s.seed), noise(p * 2.3 + 31.0, s.seed + 1u)) - 0.5);
  let g = settled * courses + 8.0 * s.r1.xy;
  let row = floor(g.y);
  let bond = select(select(0.62 * cellPick(vec2f(row, 3.0), s.seed), 0.3333, s.r0.z > 0.72), 0.5, s.r0.z < 0.72);
  let x = g.x / long + row * select(bond, 1.0, s.r0.z > 0.9) + select(0.0, bond, s.r0.z > 0.9);
  let cell = vec2f(floor(x), row);
  let c = vec2f((x - cell.x - 0.5) * long, g.y - row - 0.5);
  let u = cellPick(cell, s.seed + 2u);
  let v = cellPick(cell, s.seed + 3u);
  let rough = noise(g * 4.3, s.seed + 4u);
  let sand = noise(g * 13.0, s.seed + 5u);

  // In courses: the brick, its worn edge, the way its face leans near the edge.
  let gap = 0.055 + 0.05 * s.r0.w;
  let face = vec2f(0.5 * long, 0.5) - gap - 0.02 * v;
  let worn = 0.1 * (rough - 0.5) + 0.05 * (sand - 0.5);
  let d = roundedBox(c, face, 0.05 + 0.12 * s.r1.z) + worn;
  // 0 where another brick's share begins, 1 from a pixel inside: nothing jumps there.
  let own = clamp(min(0.5 * long - abs(c.x), 0.5 - abs(c.y)) / (courses * s.pixel), 0.0, 1.0);
  let lean = sign(c) * clamp((abs(c) - face + 0.16) / 0.16, vec2f(0), vec2f(1));

  // Burnt clay, or a wall painted in the palette's colour.
  let clay = s.r2.x < 0.65;
  let hue = select(s.hue + 0.05 * (u - 0.5), 0.015 + 0.05 * s.r2.y + 0.035 * (u - 0.5), clay);
  let burn = 0.46 + 0.1 * (s.r2.z - 0.5) + 0.2 * (v - 0.5) - select(0.0, 0.16, u > 0.86) + select(0.0, 0.13, u < 0.1);
  let brick = tint(hue, select(0.3 + 0.35 * s.r2.w, 0.5 + 0.2 * s.r2.w, clay), burn);
  let lime = mix(0.5 * s.pale, select(0.5 * s.deep, s.pale * 0.85, s.r3.x < 0.45), ramp(0.3, 0.7, s.r3.x));
  let shadow = own * softCover(roundedBox(c + 0.1 * s.light, face, 0.1) + worn, 0.05);
  var colour = lime * (0.75 + 0.4 * sand) * (1.0 - 0.5 * shadow);
  let shown = matt(brick * (0.74 + 0.3 * rough + 0.24 * sand), 0.8 * lean, d / courses, s);
  colour = mix(colour, shown, min(own, cover(d / courses, s)));

  // Rain has stained it, leaves somewhere shade it.
  let stain = noise(p * vec2f(2.2, 0.7) + 7.0 * s.r3.yz, s.seed + 6u);
  let shade = noise(p * 1.5 + 5.0 * s.r3.zw + 0.1 * vec2f(wave(0.21 * s.time), wave(0.17 * s.time)), s.seed + 7u);
  return vec4f(colour * (0.8 + 0.3 * stain) * (1.0 - 0.34 * s.r3.w * ramp(0.4, 0.62, shade)), 1.0);
}
`,
};
