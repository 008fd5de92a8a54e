"""
A plain float64 forward pass of the stored network, and the files made with it.

    python3 reference.py        draws examples/*.png and filters.png, writes expected.json

It reads network.json and weights.safetensors as any reader must, works in N, C, H, W, and shares no code
with the training layers, so the two check each other and expected.json checks every other implementation.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from draw import LABELS, picture
from picture import save_png, sheet
from store import read_safetensors

HERE = Path(__file__).parent
# The examples: class and the seed that draws it.
EXAMPLES = {'flower': 4, 'eye': 8, 'fish': 1, 'butterfly': 5, 'snail': 5, 'mushroom': 8, 'house': 5, 'car': 8}


def conv2d(x, weight, bias, stride, padding):
    top, left, bottom, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    _, _, kh, kw = weight.shape
    ho, wo = (x.shape[2] - kh) // stride[0] + 1, (x.shape[3] - kw) // stride[1] + 1
    y = np.zeros((x.shape[0], weight.shape[0], ho, wo)) + bias[:, None, None]
    for i in range(kh):
        for j in range(kw):
            taps = x[:, :, i : i + stride[0] * ho : stride[0], j : j + stride[1] * wo : stride[1]]
            y += np.einsum('nchw,mc->nmhw', taps, weight[:, :, i, j], optimize=True)
    return y


def max_pool(x, kernel, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, (2, 3))
    return windows[:, :, :: stride[0], :: stride[1]].max((4, 5))


def lrn(x, size, alpha, beta, k):
    below, above = (size - 1) // 2, size - 1 - (size - 1) // 2
    squares = np.pad(x * x, ((0, 0), (below, above), (0, 0), (0, 0)))
    total = sum(squares[:, i : i + x.shape[1]] for i in range(size))
    return x / (k + alpha / size * total) ** beta


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


class Reference:
    def __init__(self, folder: Path = HERE):
        self.manifest = json.loads((folder / 'network.json').read_text())
        tensors = read_safetensors(folder / self.manifest['weights'])
        self.tensors = {name: value.astype(np.float64) for name, value in tensors.items()}

    def preprocess(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels [N, 3, H, W] in 0..255 to the network's input."""
        p = self.manifest['preprocess']
        mean, std = (np.array(p[key], np.float64)[:, None, None] for key in ('mean', 'std'))
        return (pixels * (p['range'] / 255) - mean) / std

    def forward(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The output of every node by name."""
        values = {'data': x}
        for node in self.manifest['nodes']:
            x, attributes = values[node['inputs'][0]], node.get('attributes', {})
            w = {role: self.tensors[name] for role, name in node.get('weights', {}).items()}
            if node['op'] == 'conv2d':
                y = conv2d(x, w['weight'], w['bias'], **attributes)
            elif node['op'] == 'dense':
                y = x.reshape(len(x), -1) @ w['weight'].T + w['bias']
            elif node['op'] == 'relu':
                y = np.maximum(x, 0)
            else:
                y = {'max_pool': max_pool, 'lrn': lrn, 'softmax': softmax}[node['op']](x, **attributes)
            values[node['name']] = y
        return values


def shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    """Means of square blocks of [H, W, 3] uint8, not rounded, as [1, 3, size, size]."""
    k = pixels.shape[0] // size
    return pixels.reshape(size, k, size, k, 3).mean((1, 3)).transpose(2, 0, 1)[None]


def filters(weight: np.ndarray) -> np.ndarray:
    """The first layer's filters [M, 3, kh, kw] as colours about mid-grey, each to its own scale, the strongest first."""
    order = np.argsort(-(weight**2).sum((1, 2, 3)))
    scaled = 0.5 + 0.5 * weight / np.abs(weight).max((1, 2, 3), keepdims=True)
    return sheet(np.rint(scaled[order] * 255).astype(np.uint8).transpose(0, 2, 3, 1), 16, 4, 9)


def short(value) -> float:
    return float(f'{float(value):.9g}')


def main() -> None:
    net, rows = Reference(), []
    folder = HERE / 'examples'
    folder.mkdir(exist_ok=True)
    for label, seed in EXAMPLES.items():
        pixels = np.rint(picture(seed, label, 256, calm=True) * 255).astype(np.uint8).transpose(1, 2, 0)
        save_png(folder / f'{label}.png', pixels)
        values = net.forward(net.preprocess(shrink(pixels, 64)))
        logits, prob = values['fc6'][0], values['prob'][0]
        top = LABELS[int(prob.argmax())]
        print(f'{label:<10} -> {top:<10} {prob.max():.4f}')
        if top != label:
            raise SystemExit(f'{label}: seed {seed} is told as {top}; choose another in EXAMPLES')
        rows.append({
            'picture': f'examples/{label}.png',
            'top': top,
            'probability': short(prob.max()),
            'logits': [short(v) for v in logits],
            'layers': {name: {'mean': short(v.mean()), 'l2': short(np.sqrt((v * v).sum()))} for name, v in values.items()},
        })
    save_png(HERE / 'filters.png', filters(net.tensors['conv1/weight']))
    note = (
        'A float64 forward pass of the stored weights (reference.py). Input: the mean of each 4 x 4 block of pixels '
        'of the picture, not rounded, then the preprocessing of network.json. mean and l2 are over the whole output of a layer.'
    )
    digest = hashlib.sha256((HERE / net.manifest['weights']).read_bytes()).hexdigest()
    (HERE / 'expected.json').write_text(json.dumps({'note': note, 'sha256': digest, 'pictures': rows}, indent=1) + '\n')


if __name__ == '__main__':
    main()
