"""
Trains the embedded network on pictures drawn by draw.py and writes network.json, weights.safetensors and log.txt.
Run reference.py after it.

    python3 train.py            from nothing; the same numbers every time on the same machine
    python3 train.py --resume   goes on from the stored weights on fresh pictures, with silent units of fc5 started anew
    python3 train.py --check    proves the gradients of layers.py by central differences

Needs Python 3.11 and numpy. Two threads each take half of every batch; BLAS itself is kept to one.
"""

from __future__ import annotations

import os

os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np

import store
from draw import LABELS, pictures
from layers import Layer, Parameter, cross_entropy
from plan import SIZE, Plan, forward, gradients

HERE = Path(__file__).parent
# Pictures are drawn this much wider on every side, for crops.
MARGIN = 4
THREADS = 2
# Held-out pictures have seeds that training never reaches.
HELD_OUT = 10_000_000


class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    def __init__(self, parameters: list[Parameter], decay: float):
        self.parameters, self.decay, self.t = parameters, decay, 0
        self.m = [np.zeros_like(p.value) for p in parameters]
        self.s = [np.zeros_like(p.value) for p in parameters]

    def step(self, grads: list[np.ndarray], rate: float) -> None:
        self.t += 1
        a, b = 0.9, 0.99
        correction = np.sqrt(1 - b**self.t) / (1 - a**self.t)
        for p, g, m, s in zip(self.parameters, grads, self.m, self.s):
            m += np.float32(1 - a) * (g - m)
            s += np.float32(1 - b) * (g * g - s)
            p.value *= np.float32(1 - rate * self.decay * p.decay)
            p.value -= np.float32(rate * p.rate * correction) * m / (np.sqrt(s) + np.float32(1e-8))


def smoothness(weight: np.ndarray, kernel: int) -> np.ndarray:
    """Gradient of half the squared differences between neighbouring taps (zero outside): it damps pixel-scale noise."""
    w = weight.reshape(kernel, kernel, -1)
    p = np.pad(w, ((1, 1), (1, 1), (0, 0)))
    return (4 * w - p[:-2, 1:-1] - p[2:, 1:-1] - p[1:-1, :-2] - p[1:-1, 2:]).reshape(weight.shape)


def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Crops [N, S, S, 3] uint8 out of larger pictures: shifted, some mirrored, some blurred, some tinted; in 0..1."""
    n = len(images)
    out = np.empty((n, SIZE, SIZE, 3), np.float32)
    at = rng.integers(0, 2 * MARGIN + 1, (n, 2))
    for i, (y, x) in enumerate(at):
        out[i] = images[i, y : y + SIZE, x : x + SIZE]
    mirrored = rng.random(n) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    soft = rng.random(n) < 0.3
    for axis in (1, 2):
        z = out[soft]
        out[soft] = 0.5 * z + 0.25 * (np.roll(z, 1, axis) + np.roll(z, -1, axis))
    out *= rng.uniform(0.85, 1.15, (n, 1, 1, 3)).astype(np.float32) / np.float32(255)
    return np.clip(out, 0, 1, out=out)


def draw_many(first: int, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [N, S, S, 3] uint8 and classes [N], drawn by two processes."""
    part = 500
    with ProcessPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(pictures, s, min(part, first + count - s), size) for s in range(first, first + count, part)]
        done = [job.result() for job in jobs]
    return np.concatenate([x.transpose(0, 2, 3, 1) for x, _ in done]), np.concatenate([k for _, k in done])


def predict(teams: list[list[Layer]], pool: ThreadPoolExecutor, images: np.ndarray, normal) -> np.ndarray:
    """The class of each picture [N, S, S, 3] uint8."""
    out = np.empty(len(images), int)

    def work(team: int):
        for s in range(team * 32, len(images), 32 * len(teams)):
            out[s : s + 32] = forward(teams[team], normal(images[s : s + 32].astype(np.float32) / 255)).argmax(1)

    list(pool.map(work, range(len(teams))))
    return out


def confusion(truth: np.ndarray, guess: np.ndarray) -> str:
    table = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(table, (truth, guess), 1)
    head = ' ' * 10 + ' '.join(f'{k[:4]:>4}' for k in LABELS)
    rows = [f'{k:<10}' + ' '.join(f'{n or ".":>4}' for n in row) for k, row in zip(LABELS, table)]
    return '\n'.join([head, *rows])


def revive(plan: Plan, layers: list[Layer], x: np.ndarray, rng: np.random.Generator) -> int:
    """Starts the units of fc5 anew that no picture of x makes fire: no gradient reaches them any more."""
    at = [name for name, _, _ in plan.rows].index('relu5')
    silent = np.flatnonzero(forward(layers[: at + 1], x).max(0) <= 0)
    inward, outward = plan.parameters['fc5/weight'].value, plan.parameters['fc6/weight'].value
    inward[silent] = rng.standard_normal((len(silent), inward.shape[1])) * np.sqrt(2 / inward.shape[1])
    plan.parameters['fc5/bias'].value[silent] = 0.1
    outward[:, silent] = rng.standard_normal((len(outward), len(silent))) * 0.05
    return len(silent)


def check() -> None:
    """Central differences in float64 on a tiny net with every kind of layer."""
    rng = np.random.default_rng(3)
    plan = Plan(rng, 27, (4, 6, 5, 5, 7, 3), (5, 3, 3, 3), 0, np.float64)
    layers = plan.build(rng)
    x, labels = rng.standard_normal((4, 27, 27, 3)), np.array([0, 1, 2, 1])
    for p in plan.parameters.values():
        p.value += rng.standard_normal(p.value.shape) * 0.05
    _, _, grads = gradients(layers, x, labels, 0.1)
    worst = 0.0
    for (name, p), g in zip(plan.parameters.items(), grads):
        flat = p.value.reshape(-1)
        error = 0.0
        for i in rng.choice(flat.size, min(12, flat.size), replace=False):
            kept, h, losses = flat[i], 1e-6, []
            for value in (kept + h, kept - h):
                flat[i] = value
                losses.append(cross_entropy(forward(layers, x.copy()), labels, 0.1)[0])
            flat[i] = kept
            numeric = (losses[0] - losses[1]) / (2 * h)
            error = max(error, abs(numeric - g.reshape(-1)[i]) / (abs(numeric) + 1e-4))
        print(f'{name:<14} worst relative error {error:.1e}')
        worst = max(worst, error)
    if worst > 1e-4:
        raise SystemExit('the gradients are wrong')


def main() -> None:
    parser = argparse.ArgumentParser(description='Train the embedded network.')
    parser.add_argument('--check', action='store_true', help='prove the gradients and stop')
    parser.add_argument('--resume', action='store_true', help='go on from the stored weights')
    parser.add_argument('--dropout', type=float, default=0.4)
    parser.add_argument('--pictures', type=int, default=36_000)
    parser.add_argument('--steps', type=int, default=1500)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--rate', type=float, default=0.012)
    parser.add_argument('--decay', type=float, default=0.02)
    parser.add_argument('--smooth', type=float, default=0.0015)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--held-out', type=int, default=3200)
    parser.add_argument('--out', type=Path, default=HERE)
    a = parser.parse_args()
    if a.check:
        return check()

    lines: list[str] = []

    def log(text: str) -> None:
        print(text, flush=True)
        lines.append(text)

    started = time.time()
    images, labels = draw_many(a.seed * 1_000_000, a.pictures, SIZE + 2 * MARGIN)
    test_images, test_labels = draw_many(HELD_OUT, a.held_out, SIZE)
    sample = images[::16].reshape(-1, 3) / np.float32(255)
    mean, std = sample.mean(0).round(3).astype(np.float32), sample.std(0).round(3).astype(np.float32)
    if a.resume:
        preprocess = json.loads((a.out / 'network.json').read_text())['preprocess']
        mean, std = np.float32(preprocess['mean']), np.float32(preprocess['std'])
    log(f'{len(images)} pictures of {len(LABELS)} classes drawn in {time.time() - started:.0f} s; mean {mean}, std {std}')

    def normal(x: np.ndarray) -> np.ndarray:
        return (x - mean) / std

    rng = np.random.default_rng(a.seed)
    plan = Plan(rng, dropout=a.dropout)
    if a.resume:
        store.load(a.out, plan)
    teams = [plan.build(np.random.default_rng([a.seed, i])) for i in range(THREADS)]
    streams = [np.random.default_rng([a.seed, 100 + i]) for i in range(THREADS)]
    parameters = list(plan.parameters.values())
    log(
        f'{sum(p.value.size for p in parameters)} weights; {a.steps} steps of {a.batch}, rate {a.rate}, '
        f'decay {a.decay}, smooth {a.smooth}, dropout {plan.dropout}, seed {a.seed}'
    )
    if a.resume:
        fresh = np.concatenate([augment(images[i : i + 64], rng) for i in range(0, 512, 64)])
        log(f'{revive(plan, teams[0], normal(fresh), rng)} silent units of fc5 started anew')
    adam, order, at = Adam(parameters, a.decay), rng.permutation(len(images)), 0
    seen = right = 0
    loss = 0.0
    with ThreadPoolExecutor(THREADS) as pool:
        for step in range(a.steps):
            if at + a.batch > len(order):
                order, at = rng.permutation(len(images)), 0
            parts = np.split(order[at : at + a.batch], THREADS)
            at += a.batch

            def work(team: int):
                return gradients(teams[team], normal(augment(images[parts[team]], streams[team])), labels[parts[team]], 0.05)

            results = list(pool.map(work, range(THREADS)))
            grads = [sum(g) / np.float32(a.batch) for g in zip(*(r[2] for r in results))]
            # Warm up over 200 steps, then half a cosine down to nothing.
            rate = a.rate * min((step + 1) / 200, 0.5 + 0.5 * np.cos(np.pi * step / a.steps))
            adam.step(grads, rate)
            conv1 = plan.parameters['conv1/weight'].value
            conv1 -= np.float32(rate / a.rate * a.smooth) * smoothness(conv1, 5)
            seen, loss, right = seen + a.batch, loss + sum(r[0] for r in results), right + sum(r[1] for r in results)
            if (step + 1) % 100 == 0 or step + 1 == a.steps:
                norm = np.sqrt((conv1 * conv1).sum(0).mean())
                state = f'loss {loss / seen:.3f}  training {right / seen:6.1%}  norm of a conv1 filter {norm:.2f}'
                log(f'step {step + 1:5d}  {state}  {time.time() - started:4.0f} s')
                seen = right = 0
                loss = 0.0
            if (step + 1) % 500 == 0:
                guess = predict(teams, pool, test_images[:960], normal)
                log(f'            held out {np.mean(guess == test_labels[:960]):.1%} of 960')
        stored = store.save(a.out, plan, *([round(float(v), 3) for v in row] for row in (mean, std)), LABELS)
        # What is reported is what is stored: rounded to half precision.
        for name, value in stored.items():
            plan.parameters[name].value[:] = value
        guess = predict(teams, pool, test_images, normal)
    log(f'held out {np.mean(guess == test_labels):.2%} of {len(guess)} unseen pictures; {time.time() - started:.0f} s in all')
    log('rows: the class drawn; columns: the class told')
    log(confusion(test_labels, guess))
    before = (a.out / 'log.txt').read_text() + '\n' if a.resume else ''
    (a.out / 'log.txt').write_text(before + '\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
