"""House, wheel and car, each drawn in a frame whose unit disc it about fills."""

from __future__ import annotations

import numpy as np

import patterns
from canvas import Frame, hsv, mix
from parts import WHITE, chance, vivid, window


def house(f: Frame, rng: np.random.Generator) -> None:
    wall = hsv(rng.uniform(0, 1), rng.uniform(0.1, 0.5), rng.uniform(0.7, 1))
    roof = hsv(rng.choice([0.02, 0.05, 0.6, 0.95, 0.35]), rng.uniform(0.4, 0.85), rng.uniform(0.35, 0.8))
    half, eaves, ridge = rng.uniform(0.58, 0.78), rng.uniform(-0.25, 0.0), rng.uniform(-0.95, -0.75)
    if chance(rng, 0.5):
        x = rng.choice([-1, 1]) * rng.uniform(0.25, 0.4)
        f.paint(f.box(x, -0.6, 0.1, 0.3), roof * 0.7, 0.2, 0.05)
    tint = wall[:, None, None]
    style = rng.integers(0, 4)
    if style == 0:
        k = rng.uniform(7, 10)
        tint = mix(wall * 0.65, wall, patterns.bricks(f.u * k, f.v * k, f.pixel * k, 0.2))
    elif style == 1:
        tint = mix(wall * 0.82, wall, patterns.stripes(f.v * 6, f.u, f.pixel * 6, 0.8))
    f.paint(f.box(0, (eaves + 0.85) / 2, half, (0.85 - eaves) / 2), tint, 0.15, 0.05)
    over, flat = half + rng.uniform(0.08, 0.2), rng.choice([0.02, 0.02, 0.3])
    tiles = roof[:, None, None]
    if chance(rng, 0.5):
        tiles = mix(roof * 0.75, roof, patterns.stripes(f.v * 8, f.u, f.pixel * 8, 0.7))
    f.paint(f.polygon((-flat, ridge), (flat, ridge), (over, eaves), (-over, eaves)), tiles, 0.25, 0.07)
    door, trim = vivid(rng) * 0.7, WHITE if chance(rng, 0.6) else wall * 0.4
    glass = hsv(rng.choice([0.13, 0.55]), rng.uniform(0.2, 0.7), rng.uniform(0.5, 1))
    x = rng.choice([-0.3, 0.0, 0.3]) * half / 0.7
    f.paint(f.box(x, 0.58, 0.14, 0.28), door, 0.2, 0.05)
    f.fill(f.circle(x + 0.08, 0.6, 0.025), WHITE)
    for wx in (-0.42, 0.42) if abs(x) < 0.1 else (-x * 1.2,):
        y = (eaves + 0.6) / 2 + rng.uniform(-0.05, 0.1)
        window(f.part(wx * half / 0.7, y, rng.uniform(0.13, 0.18)), glass, trim)
    if chance(rng, 0.4):
        f.fill(f.circle(0, (eaves + ridge) / 2 + 0.12, 0.11), trim)
        f.fill(f.circle(0, (eaves + ridge) / 2 + 0.12, 0.07), glass)


def wheel(f: Frame, rng: np.random.Generator, detail=True) -> None:
    tyre = hsv(rng.uniform(0, 1), rng.uniform(0, 0.3), rng.uniform(0.06, 0.28))
    metal = hsv(rng.uniform(0, 1), rng.uniform(0, 0.25), rng.uniform(0.6, 0.95)) if chance(rng, 0.65) else vivid(rng)
    if detail and chance(rng, 0.3):
        tyre = hsv(rng.uniform(0.05, 0.1), 0.6, rng.uniform(0.3, 0.55))
    rim, count = rng.uniform(0.62, 0.82), int(rng.integers(4, 15))
    if chance(rng, 0.6):
        f.paint(f.circle(0, 0, 1), tyre, 0.3, 0.08)
        f.fill(f.circle(0, 0, rim), tyre * 0.4 if chance(rng, 0.5) else metal * 0.35)
    else:
        f.paint(np.abs(f.circle(0, 0, (1 + rim) / 2)) - (1 - rim) / 2, tyre, 0.3, 0.05)
    f.paint(np.abs(f.circle(0, 0, rim)) - 0.05, metal, 0.4, 0.02)
    g = f.fold(count, rng.uniform(0, 1))
    wide = min(0.11, 0.6 / count) * rng.uniform(0.7, 1.2)
    g.fill(g.polygon((0, -wide * 1.3), (rim, -wide * 0.7), (rim, wide * 0.7), (0, wide * 1.3)), metal * 0.92)
    f.paint(f.circle(0, 0, rng.uniform(0.16, 0.24)), metal, 0.5, 0.08)
    f.fill(f.circle(0, 0, 0.07), tyre)


def car(f: Frame, rng: np.random.Generator) -> None:
    colour, glass = vivid(rng), hsv(0.55, rng.uniform(0.15, 0.5), rng.uniform(0.5, 1))
    front, back, top = rng.uniform(0.3, 0.55), rng.uniform(-0.8, -0.5), rng.uniform(-0.55, -0.38)
    low = 0.32
    f.shadow(f.ellipse(0, 0.55, 1.0, 0.08), 0.4, 0.2)
    f.paint(f.polygon((back + 0.18, top), (front - 0.25, top), (front + 0.1, 0), (back, 0)) - 0.04, colour, 0.25, 0.07)
    middle, sill = (front + back) / 2, top + 0.09
    rear = f.polygon((back + 0.24, sill), (middle - 0.05, sill), (middle - 0.05, -0.02), (back + 0.13, -0.02))
    f.paint(rear, glass, 0.4, 0.04)
    fore = f.polygon((middle + 0.05, sill), (front - 0.3, sill), (front - 0.02, -0.02), (middle + 0.05, -0.02))
    f.paint(fore, glass, 0.4, 0.04)
    f.paint(f.box(0, 0.15, 0.98, 0.21, 0.12), colour, 0.25, 0.08)
    f.fill(f.box(0, low, 0.9, 0.05), colour * 0.35)
    f.fill(f.segment(middle, 0.0, middle, 0.3, 0.012), colour * 0.4)
    f.fill(f.box(middle - 0.16, 0.08, 0.06, 0.02), colour * 0.4)
    f.paint(f.circle(0.9, 0.1, 0.08), hsv(0.14, 0.4, 1), 0.2, 0.03)
    f.fill(f.box(-0.93, 0.1, 0.05, 0.07), hsv(0, 0.9, 0.9))
    r, state = rng.uniform(0.2, 0.26), rng.bit_generator.state
    for x in (-0.55, 0.55):
        # Both wheels of a car are alike.
        rng.bit_generator.state = state
        f.fill(f.circle(x, 0.34, r * 1.18), colour * 0.25)
        wheel(f.part(x, 0.36, r), rng, False)
