"""
Patterns that fill a plane: bricks, stripes, dots, checkers, and soft blotches.

Each takes coordinates u, v [S, S] whose unit is about one cell, the size of a pixel in them,
and returns a map [S, S] in 0..1 that blends two colours.
"""

from __future__ import annotations

import numpy as np

from canvas import Frame, step


def blotches(u, v, rng: np.random.Generator, waves=5) -> np.ndarray:
    """Smooth noise about 0, in -1..1, as a sum of plane waves; the same at every picture size."""
    total = np.float32(0)
    for _ in range(waves):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = rng.uniform(0.6, 1.8)
        total = total + np.sin(np.float32(k * np.cos(angle)) * u + np.float32(k * np.sin(angle)) * v + np.float32(phase))
    return total * np.float32(1 / waves)


def _triangle(t):
    """Distance to the nearest integer."""
    return np.abs(t - np.round(t))


def stripes(u, v, pixel, duty=0.5):
    return step(_triangle(u) - np.float32(duty / 2), pixel)


def checkers(u, v, pixel):
    a = np.clip((0.25 - _triangle(u / 2)) * np.float32(4 / pixel), -1, 1)
    b = np.clip((0.25 - _triangle(v / 2)) * np.float32(4 / pixel), -1, 1)
    return (1 + a * b) * np.float32(0.5)


def dots(u, v, pixel, radius=0.32, staggered=True):
    if staggered:
        u = u + np.float32(0.5) * np.mod(np.round(v), 2)
    return step(np.hypot(u - np.round(u), v - np.round(v)) - np.float32(radius), pixel)


def bricks(u, v, pixel, joint=0.12):
    """1 on the brick, 0 on the mortar; a brick is 2 x 1."""
    row = np.floor(v)
    u = u / 2 + np.float32(0.5) * np.mod(row, 2)
    du = (0.5 - np.abs(u - np.floor(u) - 0.5)) * 2
    dv = 0.5 - np.abs(v - row - 0.5)
    return step(np.float32(joint / 2) - np.minimum(du, dv), pixel)


def brick_tone(u, v) -> np.ndarray:
    """A tone in 0..1 that is constant over each brick."""
    row = np.floor(v)
    column = np.floor(u / 2 + np.float32(0.5) * np.mod(row, 2))
    wave = np.sin(column * np.float32(12.9898) + row * np.float32(78.233)) * np.float32(437.58)
    return wave - np.floor(wave)


def warped(frame: Frame, cells: float, rng: np.random.Generator, amount: float):
    """Coordinates for a pattern with `cells` cells over the frame, bent by slow waves."""
    u, v = frame.u * np.float32(cells), frame.v * np.float32(cells)
    if amount > 0:
        a, b = rng.uniform(0, 2 * np.pi, 2)
        k = np.float32(rng.uniform(1.0, 2.6))
        u, v = (
            u + np.float32(amount) * np.sin(frame.v * k + np.float32(a)),
            v + np.float32(amount) * np.sin(frame.u * k + np.float32(b)),
        )
    return u, v, frame.pixel * cells
