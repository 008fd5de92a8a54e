"""PNG files and contact sheets, with numpy and zlib alone."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np


def png(image: np.ndarray) -> bytes:
    """The PNG file of `image` [H, W, 3] uint8, each row filtered by 'up' where that is smaller."""
    height, width, _ = image.shape
    rows = image.reshape(height, -1)
    up = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    packed = min(
        (
            zlib.compress(np.concatenate([np.full((height, 1), kind, np.uint8), body], 1).tobytes(), 9)
            for kind, body in ((0, rows), (2, up))
        ),
        key=len,
    )

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', packed) + chunk(b'IEND', b'')


def save_png(path: str | Path, image: np.ndarray) -> None:
    Path(path).write_bytes(png(image))


def sheet(images: np.ndarray, columns: int, gap=2, zoom=1) -> np.ndarray:
    """Pictures [N, H, W, 3] uint8 laid out in rows on white, each pixel `zoom` pixels wide."""
    images = images.repeat(zoom, 1).repeat(zoom, 2)
    n, height, width, _ = images.shape
    rows = -(-n // columns)
    out = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        y, x = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        out[y : y + height, x : x + width] = image
    return out
