"""The embedded network as a plan of layers with its parameters, and its forward and backward pass in training."""

from __future__ import annotations

import numpy as np

from draw import LABELS
from layers import Conv2d, Dense, Dropout, Layer, Lrn, MaxPool, Parameter, Relu, cross_entropy

SIZE = 64


def smooth_start(weight: np.ndarray, kernel: int) -> np.ndarray:
    """Random filters [kh*kw*C, M] blurred, at the same spread: what training leaves as it was is then no noise."""
    w = weight.reshape(kernel, kernel, -1)
    for axis in (0, 1):
        p = np.pad(w, [(1, 1) if i == axis else (0, 0) for i in range(3)])
        first, last = (p[:-2], p[2:]) if axis == 0 else (p[:, :-2], p[:, 2:])
        w = 0.5 * w + 0.25 * (first + last)
    return (w * (weight.std() / w.std())).reshape(weight.shape).astype(weight.dtype)


class Plan:
    """The layers by name: (name, kind, settings). He's initial weights."""

    def __init__(
        self,
        rng: np.random.Generator,
        size=SIZE,
        widths=(32, 64, 96, 96, 128, len(LABELS)),
        kernels=(5, 5, 3, 3),
        dropout=0.4,
        dtype=np.float32,
    ):
        self.rows: list[tuple[str, str, tuple]] = []
        self.parameters: dict[str, Parameter] = {}
        self.dropout, channels = dropout, 3

        def weights(name, shape, fan_in, decay):
            # Steps in proportion to the initial spread: at one rate for all, the thousands of weights of a unit
            # of fc5 move together far enough to silence it for good.
            spread = np.sqrt(2 / fan_in)
            value = (rng.standard_normal(shape) * spread).astype(dtype)
            if name == 'conv1':
                value = smooth_start(value, kernels[0])
            self.parameters[f'{name}/weight'] = Parameter(value, spread, decay)
            # A start a little above zero keeps rectified units from falling silent early.
            bias = np.full(shape[1] if name.startswith('conv') else shape[0], 0 if name == 'fc6' else 0.1, dtype)
            self.parameters[f'{name}/bias'] = Parameter(bias, spread, 0)

        for i, (width, kernel) in enumerate(zip(widths, kernels), 1):
            weights(f'conv{i}', (kernel * kernel * channels, width), kernel * kernel * channels, 1)
            self.rows += [(f'conv{i}', 'conv2d', (kernel, channels, width)), (f'relu{i}', 'relu', ())]
            if i in (1, 2, 4):
                self.rows.append((f'pool{i}', 'max_pool', ()))
                size = (size - 3) // 2 + 1
            if i <= 2:
                self.rows.append((f'norm{i}', 'lrn', (width,)))
            channels = width
        weights('fc5', (widths[4], channels * size * size), channels * size * size, 1)
        weights('fc6', (widths[5], widths[4]), widths[4], 1)
        self.rows += [('fc5', 'dense', ()), ('relu5', 'relu', ()), ('drop5', 'dropout', ()), ('fc6', 'dense', ())]

    def build(self, rng: np.random.Generator) -> list[Layer]:
        """Layers for one thread, over the shared parameters."""
        layers: list[Layer] = []
        for name, kind, settings in self.rows:
            both = (self.parameters.get(f'{name}/weight'), self.parameters.get(f'{name}/bias'))
            if kind == 'conv2d':
                layers.append(Conv2d(*both, settings[0], first=name == 'conv1'))
            elif kind == 'dense':
                layers.append(Dense(*both))
            elif kind == 'lrn':
                layers.append(Lrn(*settings))
            elif kind == 'dropout':
                layers.append(Dropout(self.dropout, rng))
            else:
                layers.append(Relu() if kind == 'relu' else MaxPool())
        return layers


def forward(layers: list[Layer], x: np.ndarray, train=False) -> np.ndarray:
    for layer in layers:
        x = layer.forward(x, train)
    return x


def gradients(layers: list[Layer], x: np.ndarray, labels: np.ndarray, smoothing: float):
    """Summed loss, number right, and the summed gradients in the order of the parameters."""
    logits = forward(layers, x, True)
    loss, d = cross_entropy(logits, labels, smoothing)
    for layer in reversed(layers):
        d = layer.backward(d)
    return loss, int((logits.argmax(1) == labels).sum()), [g for layer in layers for g in layer.gradients]
