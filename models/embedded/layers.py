"""
The layers of the embedded network for training: each has forward(x) and backward(dy) -> dx.

Tensors here are N, H, W, C (unlike the stored network, which is N, C, H, W), because then a row of a
convolution's window is one run of memory. `d` before a name is the gradient of the loss by it.
A layer keeps what its backward pass needs, so one object serves one thread.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided


class Parameter:
    """An array to be learnt. `rate` scales the optimizer's step, `decay` its weight decay."""

    def __init__(self, value: np.ndarray, rate: float, decay: float):
        self.value, self.rate, self.decay = value, rate, decay


class Layer:
    parameters: tuple[Parameter, ...] = ()
    gradients: tuple[np.ndarray, ...] = ()

    def _buffer(self, key: str, shape: tuple[int, ...], dtype) -> np.ndarray:
        """Memory kept from step to step: fresh pages for the large matrices cost as much as filling them."""
        kept = self.__dict__.setdefault('_kept', {})
        if key not in kept or kept[key].shape != shape or kept[key].dtype != dtype:
            kept[key] = np.zeros(shape, dtype)
        return kept[key]


class Conv2d(Layer):
    """Stride 1, zero padding that keeps H and W. weight [kh*kw*C, M], bias [M]."""

    def __init__(self, weight: Parameter, bias: Parameter, kernel: int, first=False):
        self.parameters = (weight, bias)
        self.kernel, self.first = kernel, first

    def forward(self, x, train):
        k, pad = self.kernel, self.kernel // 2
        n, h, w, c = x.shape
        padded = self._buffer('padded', (n, h + 2 * pad, w + 2 * pad, c), x.dtype)
        padded[:, pad : pad + h, pad : pad + w] = x
        sn, sh, sw, sc = padded.strides
        windows = as_strided(padded, (n, h, w, k, k * c), (sn, sh, sw, sh, sc))
        columns = self._buffer('columns', windows.shape, x.dtype)
        np.copyto(columns, windows)
        self.columns, self.shape = columns.reshape(n * h * w, k * k * c), x.shape
        weight, bias = self.parameters
        y = self.columns @ weight.value
        y += bias.value
        return y.reshape(n, h, w, -1)

    def backward(self, dy):
        k, pad = self.kernel, self.kernel // 2
        n, h, w, c = self.shape
        dy = dy.reshape(n * h * w, -1)
        self.gradients = (self.columns.T @ dy, dy.sum(0))
        if self.first:
            return None
        # The columns are spent: their memory takes their gradient.
        dcolumns = np.matmul(dy, self.parameters[0].value.T, out=self.columns).reshape(n, h, w, k, k, c)
        dx = np.zeros((n, h + 2 * pad, w + 2 * pad, c), dy.dtype)
        for i in range(k):
            for j in range(k):
                dx[:, i : i + h, j : j + w] += dcolumns[:, :, :, i, j]
        return dx[:, pad : pad + h, pad : pad + w]


class Relu(Layer):
    def forward(self, x, train):
        self.on = x > 0
        return np.maximum(x, 0, out=x)

    def backward(self, dy):
        return dy * self.on


class MaxPool(Layer):
    """3 x 3 windows at stride 2, no padding, size rounded down. Of equal values the first counts."""

    def forward(self, x, train):
        n, h, w, c = x.shape
        self.shape, ho, wo = x.shape, (h - 3) // 2 + 1, (w - 3) // 2 + 1
        self.views = [(slice(None), slice(i, i + 2 * ho - 1, 2), slice(j, j + 2 * wo - 1, 2)) for i in range(3) for j in range(3)]
        y = x[self.views[0]].copy()
        for view in self.views[1:]:
            np.maximum(y, x[view], out=y)
        self.x, self.y = x, y
        return y.copy()

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        left = dy.copy()
        for view in self.views:
            hit = left * (self.x[view] == self.y)
            dx[view] += hit
            left -= hit
        return dx


class Lrn(Layer):
    """y = x / (k + alpha/size * sum of x^2 over `size` neighbouring channels)^beta, beta = 3/4."""

    size, alpha, beta, k = 5, 0.1, 0.75, 1.0

    def __init__(self, channels: int):
        near = np.abs(np.subtract.outer(np.arange(channels), np.arange(channels))) <= self.size // 2
        self.band = near * np.float32(self.alpha / self.size)

    def forward(self, x, train):
        scale = (x * x) @ self.band.astype(x.dtype, copy=False)
        scale += x.dtype.type(self.k)
        root = np.sqrt(scale)
        self.power = 1 / (root * np.sqrt(root))
        self.x, self.scale = x, scale
        return x * self.power

    def backward(self, dy):
        # y_i = x_i s_i^-b, s_i = k + a sum_j x_j^2:  dx_i = dy_i s_i^-b - 2 a b x_i sum_j dy_j x_j s_j^(-b-1)
        scaled = dy * self.power
        inner = (scaled * self.x / self.scale) @ self.band.astype(dy.dtype, copy=False)
        return scaled - dy.dtype.type(2 * self.beta) * self.x * inner


class Dense(Layer):
    """weight [M, K], bias [M]; the input is flattened in N, C, H, W order, as in the stored network."""

    def __init__(self, weight: Parameter, bias: Parameter):
        self.parameters = (weight, bias)

    def forward(self, x, train):
        self.shape = x.shape
        if x.ndim == 4:
            x = x.transpose(0, 3, 1, 2)
        self.x = x.reshape(len(x), -1)
        return self.x @ self.parameters[0].value.T + self.parameters[1].value

    def backward(self, dy):
        self.gradients = (dy.T @ self.x, dy.sum(0))
        dx = dy @ self.parameters[0].value
        if len(self.shape) == 4:
            n, h, w, c = self.shape
            return np.ascontiguousarray(dx.reshape(n, c, h, w).transpose(0, 2, 3, 1))
        return dx


class Dropout(Layer):
    """In training only; the stored network has no such node."""

    def __init__(self, rate: float, rng: np.random.Generator):
        self.rate, self.rng = rate, rng

    def forward(self, x, train):
        self.mask = (self.rng.random(x.shape) >= self.rate) / x.dtype.type(1 - self.rate) if train and self.rate else None
        return x if self.mask is None else x * self.mask.astype(x.dtype)

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask.astype(dy.dtype)


def cross_entropy(logits: np.ndarray, labels: np.ndarray, smoothing=0.0) -> tuple[float, np.ndarray]:
    """Summed loss of softmax(logits) against labels [N], and its gradient by the logits."""
    n, m = logits.shape
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    target = np.full((n, m), smoothing / m, logits.dtype)
    target[np.arange(n), labels] += logits.dtype.type(1 - smoothing)
    return float(-(target * log_p).sum()), np.exp(log_p) - target
