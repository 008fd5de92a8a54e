/**
 * What lies behind, beside and before the object: a backdrop (gradient, landscape, water, faint pattern, soft noise), a few
 * plain shapes, something in front that hides a part, grain. Places q are in the picture, [-1, 1]^2, y upwards.
 */
export const BACKDROP = `
fn backdrop(q: vec2f, s: Scene) -> vec3f {
  let r = pick4(s.seed, 40u);
  let r2 = pick4(s.seed, 41u);
  let axis = direction(0.25 + 0.3 * (r.x - 0.5));
  let along = clamp(0.5 + 0.45 * dot(q, axis), 0.0, 1.0);
  var colour = mix(s.ground, s.sky, along);
  let drift = 0.05 * s.time;
  let kind = r.y * 5.0;
  if (kind < 1.0) {
    // Hills, the nearer the darker.
    let far = -0.25 + 0.5 * r.z + 0.1 * wave(0.5 * q.x + r2.x + 0.3 * drift) + 0.04 * wave(1.3 * q.x + r2.y);
    let near = far - 0.25 - 0.3 * r.w + 0.12 * wave(0.35 * q.x + r2.z + 0.6 * drift) + 0.03 * wave(1.1 * q.x + r2.w);
    colour = mix(colour, s.ground * 0.9, cover2(q.y - far, s));
    colour = mix(colour, s.ground * 0.55, cover2(q.y - near, s));
  } else if (kind < 2.0) {
    // Water: bands that bend.
    let y = q.y * (2.0 + 2.0 * r.z) + 0.25 * wave(0.6 * q.x + r2.x + drift) + 0.12 * wave(1.4 * q.x - 0.7 * q.y + r2.y - drift);
    colour *= 1.0 + 0.16 * wave(y + drift) + 0.10 * wave(2.3 * y + r2.z);
  } else if (kind < 3.0) {
    // A faint pattern: stripes, or dots where the second number is small.
    let g = rotate(q, r.z) * (1.5 + 2.5 * r.w) + r2.xy;
    let c = g - floor(g + 0.5);
    let k = select(abs(c.x) - 0.22, length(c) - 0.28, r2.z < 0.5);
    colour *= 1.0 + (0.1 + 0.14 * r2.w) * (0.5 - softCover(k, 0.05));
  } else if (kind < 4.0) {
    let cloud = noise(q * (1.2 + 1.5 * r.z) + 9.0 * r2.xy + drift, s.seed);
    let fine = noise(q * (3.5 + 3.0 * r.w) + 7.0 * r2.zw, s.seed + 1u);
    colour *= 0.72 + 0.4 * cloud + 0.16 * fine;
  } else {
    // A glow somewhere.
    colour = mix(colour, s.sky * 1.25 + 0.04, 0.8 * hump(length(q - 1.2 * (r2.xy - 0.5)), 0.9));
  }
  return colour;
}

// Half of a soft edge in the picture's own pixels.
fn cover2(d: f32, s: Scene) -> f32 { return clamp(0.5 - d / s.dot, 0.0, 1.0); }

// Plain shapes around: discs, boxes, rings in quiet colours.
fn clutter(under: vec3f, q: vec2f, s: Scene) -> vec3f {
  var colour = under;
  let count = u32(4.0 * pick(s.seed, 180u));
  for (var k = 0u; k < count; k++) {
    let r = pick4(s.seed, 46u + 2u * k);
    let t = pick4(s.seed, 47u + 2u * k);
    let size = 0.07 + 0.17 * r.x;
    let place = (0.62 + 0.3 * r.y) * direction(r.z + 0.01 * s.time) * 1.2;
    let p = rotate(q - place, t.x + 0.02 * s.time);
    var d = roundedBox(p, size * vec2f(1.0, 0.5 + 0.5 * t.y), size * 0.5 * min(1.0, 1.3 * t.z) * (0.5 + 0.5 * t.y));
    d = select(d, abs(length(p) - size * 0.8) - size * 0.25, r.w < 0.2);
    let shown = mix(tint(s.hue + t.w, 0.45, 0.3 + 0.35 * r.w), colour, 0.3);
    colour *= 1.0 - 0.3 * softCover(d - 0.02, 0.07);
    colour = mix(colour, shown * (1.0 + 0.25 * dot(p, s.sun) / size), cover2(d, s));
  }
  return colour;
}

// Something in front, in every third picture: a bar, a leaf or a disc across a side of the object; it hides at most a third.
fn before(under: vec3f, q: vec2f, s: Scene) -> vec3f {
  let r = pick4(s.seed, 56u);
  if (r.x > 0.33) { return under; }
  let t = pick4(s.seed, 57u);
  let angle = r.y + 0.008 * wave(0.21 * s.time + r.z);
  let side = direction(r.z);
  let at = (q - s.place) / s.span - side * (0.5 + 0.35 * r.w);
  let p = rotate(at, angle);
  let isLeaf = t.z < 0.66;
  let wide = 0.17 + 0.08 * t.x;
  var d = box(p, vec2f(6.0, 0.05 + 0.08 * t.x));
  d = select(d, vesica(p, wide, 0.5 + 0.2 * t.y), isLeaf);
  d = select(d, circle(at, 0.26 + 0.16 * t.x), t.z < 0.33);
  let rib = select(0.0, 0.35, isLeaf && t.z >= 0.33) * max(hump(p.x, 0.015), 0.6 * hump(centred(6.0 * p.y - 7.0 * abs(p.x)), 0.1));
  let shown = tint(s.hue + t.w, 0.35 + 0.2 * t.x, 0.25 + 0.35 * t.y) * (1.0 + 0.35 * dot(at, s.sun)) * (1.0 - 0.3 * hump(d, 0.05)) * (1.0 - rib);
  let shaded = under * (1.0 - 0.4 * softCover((d - 0.03) * s.span, 0.06));
  return mix(shaded, shown, cover2(d * s.span, s));
}
`;
