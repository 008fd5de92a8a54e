"""Eye, face, fish, butterfly and snail, each drawn in a frame whose unit disc it about fills."""

from __future__ import annotations

import numpy as np

import patterns
from canvas import TAU, Frame, hsv, mix, step
from parts import BLACK, WHITE, chance, eyeball, vivid


def eye(f: Frame, rng: np.random.Generator) -> None:
    skin = hsv(rng.uniform(0.03, 0.1), rng.uniform(0.25, 0.6), rng.uniform(0.35, 1))
    if chance(rng, 0.25):
        skin = vivid(rng)
    hue = rng.choice([0.08, 0.1, 0.3, 0.42, 0.55, 0.6, 0.75]) + rng.uniform(-0.03, 0.03)
    iris = hsv(hue, rng.uniform(0.5, 0.95), rng.uniform(0.4, 0.95))
    height = rng.uniform(0.42, 0.62)
    if chance(rng, 0.7):
        f.paint(f.ellipse(0, -0.05, 1.35, 0.95), skin, 0.2, 0.2)
    if chance(rng, 0.5):
        f.paint(f.ellipse(0, -0.16, 1.05, height + 0.12), skin * rng.uniform(0.6, 0.85), 0, 0.1)
    d = f.almond(1, height)
    f.fill(d - 0.06, skin * 0.35)
    f.paint(d, WHITE, 0.15, 0.2)
    x, y, r = rng.uniform(-0.25, 0.25), rng.uniform(-0.06, 0.06), height * rng.uniform(0.72, 0.9)
    g = f.part(x, y, r)
    rho, theta = g.polar()
    fibres = 0.5 + 0.5 * np.cos(theta * int(rng.integers(14, 28)) + 3 * np.sin(rho * 7))
    tint = mix(iris * 0.6, mix(iris, WHITE, 0.35), fibres * np.clip(1.2 - rho, 0, 1))
    inside = step(d, f.pixel)
    g.fill(g.circle(0, 0, 1), tint, inside)
    g.fill(np.abs(g.circle(0, 0, 0.95)) - 0.07, iris * 0.3, inside)
    g.fill(g.circle(0, 0, rng.uniform(0.34, 0.55)), BLACK, inside)
    g.fill(g.circle(-0.3, -0.35, 0.17), WHITE, inside)
    lid = np.maximum(np.abs(d) - 0.05, f.v)
    f.fill(lid, BLACK)
    if chance(rng, 0.55):
        for i in range(7):
            t = -0.9 + 0.3 * i
            top = -height * (1 - t * t)
            f.fill(f.segment(t, top, t * 1.25, top - 0.22, 0.025), BLACK)
    if chance(rng, 0.5):
        brow = np.maximum(np.abs(f.ellipse(0, 0.1, 1.15, height + 0.5)) - 0.07, f.v + np.float32(height * 0.9))
        f.fill(brow, hsv(0.07, 0.5, rng.uniform(0.1, 0.5)))


def face(f: Frame, rng: np.random.Generator) -> None:
    skin = hsv(rng.uniform(0.03, 0.1), rng.uniform(0.2, 0.65), rng.uniform(0.4, 1))
    if chance(rng, 0.3):
        skin = vivid(rng)
    hair = hsv(rng.choice([0.05, 0.08, 0.12, 0.6, 0.95]), rng.uniform(0.2, 0.9), rng.uniform(0.12, 0.85))
    rx, ry = rng.uniform(0.68, 0.85), rng.uniform(0.82, 0.95)
    style = rng.integers(0, 4)
    if style == 1:
        f.paint(f.ellipse(0, -0.1, rx + 0.2, ry + 0.12), hair, 0.2, 0.1)
    elif style == 2:
        f.paint(f.box(0, 0.2, rx + 0.16, 0.95, 0.4), hair, 0.2, 0.1)
    f.paint(np.minimum(f.circle(-rx, 0, 0.17), f.circle(rx, 0, 0.17)), skin, 0.1, 0.12)
    head = f.ellipse(0, 0, rx, ry)
    f.paint(head, skin, 0.22, 0.12)
    if style:
        line = np.float32(rng.uniform(-0.55, -0.35))
        fringe = f.v - line - np.float32(0.15) * np.cos(f.u * np.float32(rng.uniform(1, 9)))
        f.paint(np.maximum(head - 0.04, fringe), hair, 0.2, 0.06)
    spread, high, r = rng.uniform(0.28, 0.38), rng.uniform(-0.22, -0.05), rng.uniform(0.11, 0.19)
    iris, simple = vivid(rng), chance(rng, 0.35)
    for side in (-1, 1):
        if simple:
            f.fill(f.ellipse(side * spread, high, r * 0.6, r * 0.8), BLACK)
        else:
            eyeball(f.part(side * spread, high, r), rng, iris)
        inner, outer, top = side * (spread - 0.14), side * (spread + 0.14), high - r
        f.fill(f.segment(inner, top - 0.1, outer, top - rng.uniform(0.06, 0.14), 0.035), hair * 0.7)
        f.fill(f.circle(side * 0.48, 0.25, 0.16), hsv(0.98, 0.6, 1), 0.3)
    f.paint(f.ellipse(0, 0.12, 0.08, 0.14), skin * 0.85, 0.3, 0.06)
    w, lips = rng.uniform(0.22, 0.38), hsv(0.98, rng.uniform(0.5, 0.9), rng.uniform(0.5, 0.9))
    mouth = rng.integers(0, 3)
    if mouth == 0:
        arc = np.maximum(np.abs(f.circle(0, 0.42 - w * 0.4, w)) - 0.045, 0.42 - f.v)
        f.fill(arc, lips)
    elif mouth == 1:
        f.fill(np.maximum(f.circle(0, 0.4, w), 0.4 - f.v), lips * 0.6)
        f.fill(np.maximum(f.circle(0, 0.4, w * 0.85), np.abs(f.v - 0.47) - 0.05), WHITE)
    else:
        f.paint(f.ellipse(0, 0.5, w * 0.8, 0.09), lips, 0.3, 0.03)


def fish(f: Frame, rng: np.random.Generator) -> None:
    colour, second = vivid(rng), vivid(rng)
    height, tail = rng.uniform(0.38, 0.58), rng.uniform(0.28, 0.45)
    fin = mix(colour, second, rng.uniform(0.3, 1)) * 0.9
    if chance(rng, 0.5):
        d = f.polygon((-1.02, -tail), (-0.5, -0.04), (-0.5, 0.04), (-1.02, tail), (-0.88, 0))
    else:
        d = np.minimum(f.part(-0.85, -0.16, 0.36, 0.9).almond(1, 0.5), f.part(-0.85, 0.16, 0.36, -0.9).almond(1, 0.5)) * 0.36
    f.paint(d, fin, 0.2, 0.08)
    x = rng.uniform(-0.1, 0.2)
    f.paint(f.polygon((x - 0.35, -height * 0.6), (x - 0.45, -height - 0.25), (x + 0.3, -height * 0.6)), fin, 0.2, 0.06)
    f.paint(f.polygon((x - 0.3, height * 0.6), (x + 0.2, height * 0.6), (x - 0.3, height + 0.2)), fin, 0.2, 0.06)
    g = f.part(0.18, 0, 1)
    body = g.almond(0.82, height) if chance(rng, 0.5) else g.ellipse(0, 0, 0.78, height)
    tint = mix(colour, mix(colour, WHITE, 0.7), np.clip(f.v / np.float32(height), 0, 1))
    style = rng.integers(0, 4)
    if style == 0:
        m = patterns.stripes(f.u * np.float32(rng.uniform(3, 5)) + f.v, f.v, f.pixel * 4, rng.uniform(0.3, 0.5))
        tint = tint + m * (second[:, None, None] - tint)
    elif style == 1:
        n = rng.uniform(5, 8)
        m = np.abs(np.hypot(f.u * n - np.round(f.u * n) - 0.4, f.v * n - np.round(f.v * n)) - 0.45)
        tint = tint * (1 - np.float32(0.4) * step(m - 0.08, f.pixel * n))
    elif style == 2:
        tint = tint + patterns.dots(f.u * 6, f.v * 6, f.pixel * 6, 0.25) * (second[:, None, None] - tint)
    g.paint(body, tint, 0.35, 0.1)
    head = np.maximum(body, 0.62 - f.u)
    f.fill(head, mix(colour, second, 0.35), 0.6)
    f.fill(np.maximum(np.abs(f.circle(0.95, 0, 0.42)) - 0.03, np.maximum(body, f.u - 0.6)), colour * 0.4)
    f.paint(f.part(0.12, 0.08, 0.24, rng.uniform(-0.7, 0.3)).almond(1, 0.4) * 0.24, fin, 0.2, 0.06)
    eyeball(f.part(0.66, -height * 0.22, rng.uniform(0.1, 0.14)), rng, BLACK)
    f.fill(f.segment(0.92, 0.1, 0.78, 0.14, 0.025), colour * 0.3)


def butterfly(f: Frame, rng: np.random.Generator) -> None:
    colour, second = vivid(rng), vivid(rng)
    g = f.mirrored()
    big, low = rng.uniform(0.3, 0.42), rng.uniform(0.26, 0.36)
    lift, drop = rng.uniform(0.45, 0.8), rng.uniform(0.5, 0.9)
    upper, lower = g.part(0.52, -0.42, 0.62, -lift), g.part(0.42, 0.4, 0.5, drop)
    border = hsv(rng.uniform(0, 1), 0.5, rng.uniform(0.05, 0.3))
    for wing, width, paint in ((lower, low, second if chance(rng, 0.5) else colour), (upper, big, colour)):
        d = wing.ellipse(0, 0, 1, width / 0.55) * 0.8 if wing is upper else wing.ellipse(0, 0, 1, width / 0.45) * 0.8
        wing.paint(d, border, 0.2, 0)
        tint = mix(mix(paint, WHITE, 0.45), paint, np.clip(0.5 + 0.5 * wing.u, 0, 1))
        inner = d + np.float32(rng.uniform(0.08, 0.2))
        veins = 1 - np.float32(0.3) * step(np.abs(np.mod(np.arctan2(wing.v, wing.u + 1.3) * 6, 1) - 0.5) - 0.06, 0.12)
        wing.fill(inner, tint * veins)
        if chance(rng, 0.75):
            r = rng.uniform(0.16, 0.28)
            wing.fill(wing.circle(0.35, 0, r), border)
            wing.fill(wing.circle(0.35, 0, r * 0.6), second if paint is colour else colour)
        if chance(rng, 0.4):
            wing.fill(np.maximum(d + 0.03, -d - 0.14), WHITE, patterns.dots(wing.u * 5, wing.v * 5, wing.pixel * 5, 0.3))
    f.paint(f.segment(0, -0.4, 0, 0.55, 0.075), border * 0.7, 0.4, 0.05)
    f.fill(f.circle(0, -0.5, 0.1), border * 0.6)
    spread = rng.uniform(0.2, 0.4)
    g.fill(np.minimum(g.segment(0.03, -0.55, spread, -0.92, 0.025), g.circle(spread, -0.92, 0.05)), border * 0.6)


def snail(f: Frame, rng: np.random.Generator) -> None:
    shell, skin = vivid(rng), hsv(rng.uniform(0.05, 0.25), rng.uniform(0.2, 0.6), rng.uniform(0.5, 0.95))
    band = mix(shell * 0.4, vivid(rng), rng.uniform(0, 0.7))
    for x in (0.72, 0.95):
        f.paint(f.segment(0.75, 0.3, x, -0.25, 0.04), skin, 0.1, 0.02)
        f.fill(f.circle(x, -0.27, 0.07), BLACK if chance(rng, 0.5) else skin * 0.5)
    f.paint(f.segment(-0.9, 0.68, 0.6, 0.62, 0.13), skin, 0.2, 0.06)
    f.paint(np.minimum(f.segment(0.55, 0.6, 0.78, 0.3, 0.16), f.circle(0.8, 0.28, 0.18)), skin, 0.2, 0.06)
    f.fill(f.segment(0.86, 0.36, 0.94, 0.32, 0.02), skin * 0.4)
    g = f.part(-0.12, 0.0, rng.uniform(0.66, 0.74), rng.uniform(-0.6, 0.6))
    rho, theta = g.polar()
    turns = rng.uniform(1.8, 3.0)
    s = np.mod(rho * np.float32(turns) - theta * np.float32(1 / TAU), 1)
    line = np.abs(s - 0.5) * 2
    m = np.clip((line - np.float32(rng.uniform(0.45, 0.6))) * np.float32(1 / (2 * turns * g.pixel)) + 0.5, 0, 1)
    tint = mix(shell, mix(shell, WHITE, 0.5), np.clip(1 - line * 1.6, 0, 1))
    tint = tint + m * (band[:, None, None] - tint)
    g.paint(g.circle(0, 0, 1), tint, 0.35, 0.14)
