"""
The canvas that the training pictures are drawn on: a float32 RGB image, frames
(moved, scaled, turned coordinate systems) and shapes as signed distances.

A shape is an array d [S, S] of distances to its outline, negative inside, in units of its frame.
Covering a pixel by clip(1/2 - d/pixel, 0, 1) gives an edge that is smooth over one pixel at any size,
so the same picture can be drawn at 64 x 64 for training and at 256 x 256 for a person.
"""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np

TAU = 2 * np.pi


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres x [1, S] to the right and y [S, 1] downwards, both over -1..1."""
    axis = ((np.arange(size) + 0.5) * (2 / size) - 1).astype(np.float32)
    return axis[None, :], axis[:, None]


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """A colour [3], linear in 0..1. The hue goes round once from 0 to 1."""
    rgb = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return np.array(rgb, np.float32)


def mix(a: np.ndarray, b: np.ndarray, t) -> np.ndarray:
    """Colours a [3] and b [3] blended by t, a number or an array [S, S] (then the result is [3, S, S])."""
    if np.ndim(t) == 0:
        return a + (b - a) * np.float32(t)
    return a[:, None, None] + (b - a)[:, None, None] * t


def step(d: np.ndarray, width: float) -> np.ndarray:
    """1 where d is well below 0, 0 well above, linear over `width`."""
    return np.clip(0.5 - d / np.float32(width), 0, 1)


class Canvas:
    """A square picture under way: `image` [3, S, S] float32, about 0..1."""

    def __init__(self, size: int):
        self.size = size
        self.x, self.y = grid(size)
        self.image = np.zeros((3, size, size), np.float32)
        # Where the light comes from; the scene sets it and every painted shape is shaded by it.
        self.light = (-0.5, -0.8)

    def frame(self, cx=0.0, cy=0.0, scale=1.0, angle=0.0, stretch=1.0, flip=False) -> 'Frame':
        """Coordinates (u, v) with the origin at (cx, cy), one unit = `scale`, turned by `angle` radians."""
        dx, dy = self.x - np.float32(cx), self.y - np.float32(cy)
        c, s = np.float32(np.cos(angle) / scale), np.float32(np.sin(angle) / scale)
        u = (c * dx + s * dy) * np.float32((-1 if flip else 1) / stretch)
        v = c * dy - s * dx
        return Frame(self, u, v, 2 / self.size / scale)


class Frame:
    """Coordinates u, v [S, S] in which a thing is drawn, and the size of a pixel in them."""

    def __init__(self, canvas: Canvas, u: np.ndarray, v: np.ndarray, pixel: float):
        self.canvas, self.u, self.v, self.pixel = canvas, u, v, pixel

    def part(self, cx: float, cy: float, scale: float, angle=0.0, stretch=1.0) -> 'Frame':
        """A frame inside this one, for a part such as a wheel."""
        c, s = np.float32(np.cos(angle) / scale), np.float32(np.sin(angle) / scale)
        du, dv = self.u - np.float32(cx), self.v - np.float32(cy)
        return Frame(self.canvas, (c * du + s * dv) * np.float32(1 / stretch), c * dv - s * du, self.pixel / scale)

    # Shapes: arrays [S, S] of signed distances (ellipse, almond and petals only near the outline).

    def circle(self, cx, cy, r):
        return np.hypot(self.u - np.float32(cx), self.v - np.float32(cy)) - np.float32(r)

    def ellipse(self, cx, cy, rx, ry):
        k = np.hypot((self.u - np.float32(cx)) / np.float32(rx), (self.v - np.float32(cy)) / np.float32(ry))
        return (k - 1) * np.float32(min(rx, ry))

    def box(self, cx, cy, hx, hy, r=0.0):
        qx = np.abs(self.u - np.float32(cx)) - np.float32(hx - r)
        qy = np.abs(self.v - np.float32(cy)) - np.float32(hy - r)
        return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - np.float32(r)

    def segment(self, ax, ay, bx, by, r):
        px, py = self.u - np.float32(ax), self.v - np.float32(ay)
        dx, dy = np.float32(bx - ax), np.float32(by - ay)
        t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
        return np.hypot(px - t * dx, py - t * dy) - np.float32(r)

    def polygon(self, *points):
        """A convex polygon, corners clockwise on the screen (v points down)."""
        d = None
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
            nx, ny = by - ay, ax - bx
            n = np.hypot(nx, ny)
            side = (self.u - np.float32(ax)) * np.float32(nx / n) + (self.v - np.float32(ay)) * np.float32(ny / n)
            d = side if d is None else np.maximum(d, side)
        return d

    def almond(self, width, height):
        """The meeting of two discs: an eye, a leaf, a fish. Tips at (-width, 0) and (width, 0)."""
        r = (width * width + height * height) / (2 * height)
        return np.maximum(self.circle(0, r - height, r), self.circle(0, height - r, r))

    def polar(self):
        return np.hypot(self.u, self.v), np.arctan2(self.v, self.u)

    def fold(self, count: int, phase=0.0) -> 'Frame':
        """The plane folded into `count` equal sectors: what is drawn along +u appears in each of them."""
        rho, theta = self.polar()
        a = (np.mod(theta * np.float32(count / TAU) + np.float32(phase), 1) - np.float32(0.5)) * np.float32(TAU / count)
        return Frame(self.canvas, rho * np.cos(a), rho * np.sin(a), self.pixel)

    def mirrored(self) -> 'Frame':
        return Frame(self.canvas, np.abs(self.u), self.v, self.pixel)

    # Paint.

    def fill(self, d: np.ndarray, colour: np.ndarray, alpha=1.0) -> np.ndarray:
        """Covers the shape d with a colour [3] or [3, S, S]; returns the coverage [S, S]."""
        m = step(d, self.pixel)
        if np.ndim(alpha) or alpha != 1:
            m = m * np.float32(alpha) if not np.ndim(alpha) else m * alpha
        if colour.ndim == 1:
            colour = colour[:, None, None]
        self.canvas.image += m * (colour - self.canvas.image)
        return m

    def paint(self, d: np.ndarray, colour: np.ndarray, bulge=0.25, rim=0.07, alpha=1.0) -> np.ndarray:
        """As `fill`, but shaded by the light and darkened over `rim` units along the outline."""
        lx, ly = self.canvas.light
        shade = 1 + np.float32(bulge) * np.clip(self.u * np.float32(lx) + self.v * np.float32(ly), -1, 1)
        if rim:
            shade = shade * (1 - np.float32(0.45) * np.clip(1 + d / np.float32(rim), 0, 1))
        if colour.ndim == 1:
            colour = colour[:, None, None]
        return self.fill(d, colour * shade, alpha)

    def shadow(self, d: np.ndarray, depth=0.45, width=0.25) -> None:
        """Darkens softly outside and under the shape."""
        self.canvas.image *= 1 - np.float32(depth) * np.clip(0.6 - d / np.float32(width), 0, 1)
