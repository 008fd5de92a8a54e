"""
Draws the labelled pictures that the embedded network learns from.

    python3 draw.py SHEET.png [--size 64] [--rows 8] [--seed 0]     a sheet, one column a class

`picture(seed, label, size)` depends on nothing but its arguments. The same seed at another size is the same
picture, up to its pixel noise: everything is drawn in coordinates over -1..1.
"""

from __future__ import annotations

import argparse

import numpy as np

import animals
import patterns
import plants
import works
from canvas import Canvas, Frame, hsv, mix
from parts import WHITE, chance, leaf, leaf_green, vivid
from picture import save_png, sheet

# They share parts on purpose (discs, petals, wheels, eyes, spots, windows, bricks), so that a network
# that tells them apart has a use for units that see parts.
THINGS = {
    'flower': plants.flower,
    'sun': plants.sun,
    'eye': animals.eye,
    'face': animals.face,
    'fish': animals.fish,
    'butterfly': animals.butterfly,
    'snail': animals.snail,
    'mushroom': plants.mushroom,
    'tree': plants.tree,
    'house': works.house,
    'car': works.car,
    'wheel': works.wheel,
}
PATTERNS = ('bricks', 'stripes', 'dots', 'checkers')
LABELS = (*THINGS, *PATTERNS)
# Largest turn in radians: what stands on the ground stays nearly upright.
TURN = {'flower': 0.5, 'sun': 3.1, 'wheel': 3.1, 'butterfly': 0.7, 'fish': 0.5}


def two_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours that differ in lightness."""
    hue = rng.uniform(0, 1)
    bright = hsv(hue, rng.uniform(0.0, 0.55), rng.uniform(0.75, 1))
    dark = hsv(hue + rng.choice([0.0, 0.1, 0.33, 0.5, 0.67]), rng.uniform(0.4, 1), rng.uniform(0.08, 0.6))
    return (bright, dark) if chance(rng, 0.5) else (dark, bright)


def draw_pattern(f: Frame, label: str, rng: np.random.Generator, contrast=1.0) -> np.ndarray:
    """The pattern in its colours, [3, S, S]."""
    a, b = two_colours(rng)
    if label == 'bricks':
        u, v, pixel = patterns.warped(f, rng.uniform(2.5, 5), rng, rng.uniform(0, 0.15))
        clay = hsv(rng.uniform(0.0, 0.08), rng.uniform(0.4, 0.8), rng.uniform(0.45, 0.9)) if chance(rng, 0.65) else vivid(rng)
        mortar = hsv(0.1, rng.uniform(0, 0.2), rng.uniform(0.7, 0.95) if chance(rng, 0.65) else rng.uniform(0.1, 0.35))
        tone = mix(clay * 0.72, np.minimum(clay * 1.15, 1), patterns.brick_tone(u, v))
        out = mortar[:, None, None] + patterns.bricks(u, v, pixel, rng.uniform(0.1, 0.22)) * (tone - mortar[:, None, None])
    elif label == 'stripes':
        u, v, pixel = patterns.warped(f, rng.uniform(2, 5.5), rng, rng.uniform(0, 0.9))
        if chance(rng, 0.4):
            a, b = hsv(0.1, 0.05, 0.95), hsv(0.7, 0.2, 0.1)
        out = mix(a, b, patterns.stripes(u, v, pixel, rng.uniform(0.3, 0.65)))
    elif label == 'dots':
        u, v, pixel = patterns.warped(f, rng.uniform(2, 4.5), rng, rng.uniform(0, 0.25))
        radius, staggered = rng.uniform(0.2, 0.4), chance(rng, 0.6)
        out = mix(a, b, patterns.dots(u, v, pixel, radius, staggered))
        if chance(rng, 0.3):
            c = vivid(rng)
            out = out + 0.8 * patterns.dots(u, v, pixel, radius * 0.5, staggered) * (c[:, None, None] - out)
    else:
        u, v, pixel = patterns.warped(f, rng.uniform(2, 4.5), rng, rng.uniform(0, 0.3))
        out = mix(a, b, patterns.checkers(u, v, pixel))
    if contrast < 1:
        mean = out.mean((1, 2), keepdims=True)
        out = mean + np.float32(contrast) * (out - mean)
    return out


def backdrop(canvas: Canvas, rng: np.random.Generator) -> None:
    """What is behind the thing: a gradient, blotches, a landscape, water or a faint pattern."""
    whole = canvas.frame(angle=rng.uniform(0, np.pi))
    hue, kind = rng.uniform(0, 1), rng.random()
    light = rng.uniform(0.25, 0.95)
    a = hsv(hue, rng.uniform(0.1, 0.6), light)
    b = hsv(hue + rng.normal(0, 0.1), rng.uniform(0.1, 0.7), light * rng.uniform(0.5, 1.3))
    if kind < 0.3:
        canvas.image[:] = mix(a, b, np.clip(0.5 + 0.45 * whole.u, 0, 1))
    elif kind < 0.55:
        n = patterns.blotches(whole.u * np.float32(3), whole.v * np.float32(3), rng)
        canvas.image[:] = mix(a, b, np.clip(0.5 + n, 0, 1))
    elif kind < 0.8:
        sky = hsv(rng.choice([0.55, 0.58, 0.05, 0.7]) + rng.normal(0, 0.03), rng.uniform(0.15, 0.6), rng.uniform(0.6, 1))
        ground = leaf_green(rng) if chance(rng, 0.6) else hsv(rng.uniform(0.05, 0.15), rng.uniform(0.2, 0.5), rng.uniform(0.4, 0.8))
        height, k, phase = rng.uniform(0.1, 0.7), rng.uniform(1, 4), rng.uniform(0, 6)
        horizon = np.float32(height) + np.float32(0.1) * np.sin(canvas.x * np.float32(k) + np.float32(phase))
        canvas.image[:] = mix(sky, mix(sky, WHITE, 0.5), np.clip(0.5 + 0.5 * canvas.y, 0, 1) + 0 * canvas.x)
        grass = ground[:, None, None] * (1 - np.float32(0.12) * patterns.blotches(canvas.x * 14, canvas.y * 14, rng))
        flat = canvas.frame()
        flat.fill(horizon - canvas.y, grass)
    elif kind < 0.88:
        waves = np.sin(canvas.y * np.float32(rng.uniform(6, 12)) + 2 * np.sin(canvas.x * 3 + np.float32(rng.uniform(0, 6))))
        water = hsv(rng.uniform(0.48, 0.62), rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.9))
        canvas.image[:] = mix(water * 0.75, water, 0.5 + 0.5 * waves)
    else:
        canvas.image[:] = draw_pattern(whole, str(rng.choice(PATTERNS)), rng, rng.uniform(0.12, 0.4))


def clutter(canvas: Canvas, rng: np.random.Generator, count: int, near: float) -> None:
    """Plain shapes, no nearer to the middle than `near`."""
    for _ in range(count):
        a, q = rng.uniform(0, 2 * np.pi), rng.uniform(near, 1.25)
        f = canvas.frame(q * np.cos(a), q * np.sin(a), rng.uniform(0.08, 0.3), rng.uniform(0, 2 * np.pi))
        colour, kind = vivid(rng) * rng.uniform(0.4, 1), rng.integers(0, 5)
        if kind == 0:
            f.paint(f.circle(0, 0, 1), colour)
        elif kind == 1:
            f.paint(f.box(0, 0, 1, rng.uniform(0.4, 1)), colour)
        elif kind == 2:
            f.paint(f.polygon((0, -1), (0.9, 0.7), (-0.9, 0.7)), colour)
        elif kind == 3:
            leaf(f, rng, leaf_green(rng))
        else:
            f.paint(f.segment(-2, 0, 2, 0, rng.uniform(0.1, 0.3)), colour, 0.1)


def picture(seed: int, label: str, size: int, calm=False) -> np.ndarray:
    """
    A picture [3, size, size] float32 in 0..1 of class `label`.
    `calm` leaves out what makes a picture hard (cover, grain, far-off scales), for pictures shown to people.
    """
    rng = np.random.default_rng([seed, LABELS.index(label)])
    canvas = Canvas(size)
    canvas.light = (rng.uniform(-0.8, 0.8), rng.uniform(-1, -0.3))
    backdrop(canvas, rng)
    if label in THINGS:
        clutter(canvas, rng, int(rng.integers(0, 2 if calm else 6)), 0.75)
        if chance(rng, 0.15) and not calm:
            # A small second thing in a corner, so that a part alone does not decide.
            other = THINGS[str(rng.choice(list(THINGS)))]
            other(canvas.frame(rng.choice([-0.75, 0.75]), rng.choice([-0.75, 0.75]), rng.uniform(0.16, 0.24)), rng)
        scale = rng.uniform(0.66, 0.8) if calm else rng.uniform(0.38, 0.85)
        room = (0.15 if calm else 0.45) * (1 - scale) + 0.05
        turn = TURN.get(label, 0.25) * (0.5 if calm else 1)
        f = canvas.frame(
            rng.uniform(-room, room), rng.uniform(-room, room), scale,
            rng.uniform(-turn, turn), rng.uniform(0.85, 1.15), chance(rng, 0.5),
        )
        if chance(rng, 0.6):
            f.shadow(f.circle(0.08, 0.12, 0.6), rng.uniform(0.1, 0.4), 0.5)
        THINGS[label](f, rng)
    else:
        f = canvas.frame(rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.75, 1.5), rng.uniform(-0.5, 0.5), rng.uniform(0.8, 1.25))
        if label == 'stripes' and chance(rng, 0.7):
            f = f.part(0, 0, 1, rng.uniform(0, np.pi))
        surface = draw_pattern(f, label, rng)
        g = canvas.frame(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), rng.uniform(0.6, 0.9), rng.uniform(0, 6))
        shape = rng.random()
        if calm or shape < 0.5:
            canvas.image[:] = surface * (1 - np.float32(0.15) * patterns.blotches(canvas.x * 2, canvas.y * 2, rng))
        else:
            # A piece of the pattern on something.
            d = g.circle(0, 0, 1) if shape < 0.75 else g.box(0, 0, 1, 0.8, 0.2)
            g.shadow(d, 0.4, 0.4)
            g.paint(d, surface, 0.35, 0.06)
        clutter(canvas, rng, int(rng.integers(0, 1 if calm else 4)), 0.4)
    if not calm and chance(rng, 0.3):
        # Something in front.
        a, q = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 0.8)
        f = canvas.frame(q * np.cos(a), q * np.sin(a), rng.uniform(0.15, 0.3), rng.uniform(0, 2 * np.pi))
        cover = f.segment(-4, 0, 4, 0, 0.35) if chance(rng, 0.5) else f.almond(1.6, 0.7)
        f.paint(cover, vivid(rng) * rng.uniform(0.3, 1), 0.2)

    image = canvas.image
    lx, ly = rng.uniform(-0.3, 0.3, 2).astype(np.float32)
    image *= np.float32(rng.uniform(0.8, 1.08)) * (1 + lx * canvas.x + ly * canvas.y)
    if not calm:
        image += rng.normal(0, 0.03, 3).astype(np.float32)[:, None, None]
        # Pixel noise is drawn last: all before it is the same at every size.
        image += np.float32(rng.uniform(0, 0.05)) * rng.standard_normal(image.shape, np.float32)
    return np.clip(image, 0, 1, out=image)


def pictures(first: int, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` pictures [N, 3, size, size] uint8 of seeds first, first + 1, ..., and their classes [N], in turn."""
    labels = np.arange(first, first + count) % len(LABELS)
    out = np.empty((count, 3, size, size), np.uint8)
    for i, k in enumerate(labels):
        out[i] = np.rint(picture(first + i, LABELS[k], size) * 255)
    return out, labels


def main() -> None:
    parser = argparse.ArgumentParser(description='Draw a sheet of training pictures, one column a class.')
    parser.add_argument('path')
    parser.add_argument('--size', type=int, default=64)
    parser.add_argument('--rows', type=int, default=8)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--calm', action='store_true', help='as the example pictures: large, uncovered, no grain')
    a = parser.parse_args()
    made = [picture(a.seed + r, label, a.size, a.calm) for r in range(a.rows) for label in LABELS]
    images = np.rint(np.stack(made) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    save_png(a.path, sheet(images, len(LABELS)))


if __name__ == '__main__':
    main()
