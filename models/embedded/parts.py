"""Colours and parts that several things share."""

from __future__ import annotations

import numpy as np

from canvas import Frame, hsv

WHITE, BLACK = hsv(0, 0, 0.97), hsv(0.65, 0.3, 0.08)


def chance(rng: np.random.Generator, p: float) -> bool:
    return bool(rng.random() < p)


def vivid(rng: np.random.Generator, low=0.0, high=1.0) -> np.ndarray:
    """A strong colour with its hue between low and high."""
    return hsv(rng.uniform(low, high), rng.uniform(0.55, 0.95), rng.uniform(0.7, 1))


def leaf_green(rng: np.random.Generator) -> np.ndarray:
    return hsv(rng.uniform(0.2, 0.42), rng.uniform(0.45, 0.9), rng.uniform(0.35, 0.75))


def eyeball(f: Frame, rng: np.random.Generator, iris: np.ndarray) -> None:
    """A round eye of radius 1: white, iris, pupil, glint."""
    f.paint(f.circle(0, 0, 1), WHITE, 0.1, 0.25)
    x, y = rng.uniform(-0.25, 0.25, 2)
    f.fill(f.circle(x, y, 0.62), iris)
    f.fill(f.circle(x, y, 0.36), BLACK)
    f.fill(f.circle(x - 0.2, y - 0.25, 0.16), WHITE)


def leaf(f: Frame, rng: np.random.Generator, colour: np.ndarray) -> None:
    f.paint(f.almond(1, rng.uniform(0.3, 0.45)), colour, 0.2, 0.1)
    f.fill(f.segment(-0.9, 0, 0.9, 0, 0.04), colour * 0.6)


def window(f: Frame, colour: np.ndarray, frame_colour: np.ndarray) -> None:
    f.fill(f.box(0, 0, 1, 1), frame_colour)
    f.paint(f.box(0, 0, 0.8, 0.8), colour, 0.3, 0)
    f.fill(np.minimum(f.box(0, 0, 0.1, 0.9), f.box(0, 0, 0.9, 0.1)), frame_colour)
