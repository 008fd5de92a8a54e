"""Flower, sun, mushroom and tree, each drawn in a frame whose unit disc it about fills."""

from __future__ import annotations

import numpy as np

import patterns
from canvas import TAU, Frame, hsv, mix, step
from parts import WHITE, chance, leaf, leaf_green, vivid


def flower(f: Frame, rng: np.random.Generator) -> None:
    colour, heart = vivid(rng, 0.55, 1.18), hsv(rng.uniform(0.06, 0.16), 0.9, rng.uniform(0.35, 1))
    if chance(rng, 0.2):
        colour = hsv(rng.uniform(0, 1), 0.1, 1)
    if chance(rng, 0.6):
        green, bend = leaf_green(rng), rng.uniform(-0.4, 0.4)
        f.paint(f.segment(0, 0, bend, 1.6, 0.06), green, 0.1, 0.03)
        leaf(f.part(bend * 0.7 + 0.3, 1.05, 0.34, rng.uniform(-0.9, -0.2)), rng, green)
        leaf(f.part(bend * 0.7 - 0.3, 1.15, 0.34, rng.uniform(0.2, 0.9)), rng, green)
    count, phase = int(rng.integers(5, 11)), rng.uniform(0, 1)
    width, tip = min(0.36, 2.1 / count) * rng.uniform(0.85, 1.15), rng.uniform(0.86, 1.0)
    layers = 2 if chance(rng, 0.5) else 1
    for layer in range(layers):
        g = f.fold(count, phase + 0.5 * layer)
        size = 1 - 0.3 * layer
        d = g.ellipse(tip * size / 2, 0, tip * size / 2, width * size)
        tint = mix(colour * 0.55, colour, np.clip(g.u * np.float32(1.6 / size), 0, 1))
        vein = 1 - np.float32(0.25) * step(np.abs(g.v) - np.float32(0.02), 0.05)
        g.paint(d, tint * vein, 0, 0.09)
    r = rng.uniform(0.2, 0.34)
    f.paint(f.circle(0, 0, r), heart, 0.6, 0.1)
    seeds = patterns.dots(f.u * 14, f.v * 14, f.pixel * 14, 0.3)
    f.fill(f.circle(0, 0, r * 0.8), heart * 0.55, 0.7 * seeds)


def sun(f: Frame, rng: np.random.Generator) -> None:
    hue = rng.uniform(0.02, 0.16)
    colour, edge = hsv(hue, rng.uniform(0.5, 0.9), 1), hsv(hue - 0.05, 0.9, rng.uniform(0.8, 1))
    count, r = int(rng.integers(8, 19)), rng.uniform(0.42, 0.58)
    g = f.fold(count, rng.uniform(0, 1))
    half, style = np.tan(np.pi / count), rng.integers(0, 4)
    if style == 0:
        d = g.polygon((r, -r * half * 0.8), (1, -0.01), (1, 0.01), (r, r * half * 0.8))
    elif style == 1:
        d = g.segment(r + 0.16, 0, 0.95, 0, min(0.06, 0.5 * half))
    elif style == 2:
        d = g.polygon((r, -r * half * 0.25), (1, -half * 0.5), (1, half * 0.5), (r, r * half * 0.25))
    else:
        rho, theta = f.polar()
        d = rho - np.float32(0.8) - np.float32(0.17) * np.cos(theta * count)
    halo = np.clip(1.25 - np.hypot(f.u, f.v) * np.float32(0.75), 0, 1) ** 2
    f.fill(f.circle(0, 0, 3), mix(edge, WHITE, 0.3), halo * np.float32(rng.uniform(0, 0.6)))
    g.fill(d, edge)
    f.paint(f.circle(0, 0, r), mix(colour, edge, np.clip(np.hypot(f.u, f.v) / r, 0, 1) ** 3), 0.12, 0.05)


def mushroom(f: Frame, rng: np.random.Generator) -> None:
    cap = vivid(rng, -0.08, 0.14) if chance(rng, 0.7) else vivid(rng)
    stem = hsv(rng.uniform(0.08, 0.15), rng.uniform(0.05, 0.3), rng.uniform(0.75, 1))
    w, wide, high = rng.uniform(0.15, 0.26), rng.uniform(0.75, 0.95), rng.uniform(0.65, 0.95)
    f.paint(f.polygon((-w * 0.8, 0), (w * 0.8, 0), (w * 1.3, 0.9), (-w * 1.3, 0.9)) - 0.04, stem, 0.3, 0.1)
    gills = mix(stem * 0.6, stem, 0.5 + 0.5 * np.cos(np.arctan2(f.u, f.v + 0.6) * 40))
    f.fill(f.ellipse(0, 0.02, wide * 0.96, 0.17), gills)
    base = 0.06 + 0.12 * (f.u / np.float32(wide)) ** 2 * -1
    d = np.maximum(f.ellipse(0, 0.02, wide, high), f.v - base.astype(np.float32))
    g = f.part(0, -0.3, 0.8)
    g.paint(d, cap, 0.35, 0.14)
    if chance(rng, 0.75):
        spot, inside = mix(WHITE, cap, rng.uniform(0, 0.3)), step(d + 0.02, f.pixel)
        for _ in range(int(rng.integers(5, 11))):
            x, y = rng.uniform(-0.8, 0.8) * wide, -high * rng.uniform(0.05, 0.9)
            r = rng.uniform(0.06, 0.15)
            f.fill(f.ellipse(x, y, r, r * 0.85), spot, inside)
    if chance(rng, 0.4):
        f.paint(f.box(0, 0.3, w * 1.25, 0.06, 0.06), stem * 0.9, 0.2, 0.05)


def tree(f: Frame, rng: np.random.Generator) -> None:
    green, bark = leaf_green(rng), hsv(rng.uniform(0.04, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.55))
    season = rng.random()
    if season < 0.2:
        green = hsv(rng.uniform(0.02, 0.13), 0.85, rng.uniform(0.7, 1))
    elif season < 0.3:
        green = hsv(rng.uniform(0.88, 0.97), rng.uniform(0.25, 0.5), 1)
    w = rng.uniform(0.08, 0.15)
    f.paint(f.polygon((-w * 0.7, -0.3), (w * 0.7, -0.3), (w * 1.4, 0.95), (-w * 1.4, 0.95)), bark, 0.3, 0.06)
    if chance(rng, 0.4):
        levels, wide = int(rng.integers(3, 5)), rng.uniform(0.5, 0.7)
        for i in range(levels):
            t = i / levels
            y, half = 0.62 - 1.1 * t, wide * (1 - 0.75 * t)
            d = f.polygon((0, y - 0.62), (half, y), (-half, y))
            f.paint(d + np.float32(0.02) * np.sin(f.u * 30), green * (0.75 + 0.3 * t), 0.35, 0.1)
        return
    f.fill(f.segment(0, 0.35, 0.3, -0.1, w * 0.4), bark)
    f.fill(f.segment(0, 0.45, -0.3, 0.0, w * 0.4), bark)
    bumps = 0.05 * patterns.blotches(f.u * 9, f.v * 9, rng, 6)
    for i in range(int(rng.integers(5, 9))):
        a, q = rng.uniform(0, TAU), rng.uniform(0.1, 0.48)
        r, tone = rng.uniform(0.26, 0.42), rng.uniform(0.75, 1.1)
        x, y = q * np.cos(a) * 1.1, -0.3 + q * np.sin(a) * 0.8
        g = f.part(x, y, r)
        g.paint(g.circle(0, 0, 1) + bumps * np.float32(2.5), np.clip(green * tone, 0, 1), 0.4, 0.12)
    if chance(rng, 0.35):
        fruit = hsv(rng.choice([0.0, 0.97, 0.12]), 0.9, 0.95)
        for _ in range(int(rng.integers(4, 9))):
            x, y = rng.uniform(-0.5, 0.5), rng.uniform(-0.65, 0.0)
            f.paint(f.circle(x, y, 0.07), fruit, 0.2, 0.03)
