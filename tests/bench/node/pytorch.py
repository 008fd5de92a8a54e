#!/usr/bin/env python3
"""The rows of a report of the packed benchmark in PyTorch, f32 with TF32 off: compares the results, then the times.

    python3 pytorch.py bench.json [--only REGEX] [--samples 7] [--device cuda|cpu] [--json FILE]

Needs torch and numpy. Networks, inputs and weights come from the report and from the formula that made them (formula.ts),
so both programs do the same work on the same numbers. Times of PyTorch: as its functions are called one by one (eager),
and on CUDA also recorded and replayed as one graph, which leaves out what the processor does between them.

A gradient is not continuous in rounding: where an activation lies within rounding of zero, or two of a pooling window are
equal but for rounding, the last bit of a sum decides which way a part of the gradient goes. A wrong kernel is wrong in every
image, such a decision falls in some: results agree where the median image does and no image is far off. Rows of which some
image is off by more are computed once more in double precision; the median image may then be as far from that as PyTorch's.
"""
import argparse
import json
import math
import re
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

TOLERANCE = 1e-3
# Of the worst image of a gradient.
DECISIONS = 0.1
# How long the work runs before the first sample, s: an idle GPU takes time to reach its clock.
WARM_UP = 0.8


# ---- numbers without files: formula.ts in numpy ----

def fnv1a(text):
    h = 0x811C9DC5
    for unit in text:
        h = ((h ^ ord(unit)) * 0x01000193) & 0xFFFFFFFF
    return h


def formula(name, shape, amplitude):
    """Uniform in -amplitude..amplitude, a hash of the index seeded by the name; float32."""
    count = math.prod(shape)
    with np.errstate(over='ignore'):
        x = np.arange(count, dtype=np.uint32) + np.uint32((fnv1a(name) * 0x9E3779B9) & 0xFFFFFFFF)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return (((x >> np.uint32(8)) * 2.0**-24 - 0.5) * 2 * amplitude).astype(np.float32).reshape(shape)


def checksum(data):
    """report.ts: sum of the bits of element i times 2 i + 1, modulo 2^32."""
    bits = np.ascontiguousarray(data).view(np.uint32).ravel()
    with np.errstate(over='ignore'):
        return int((bits * (np.arange(bits.size, dtype=np.uint32) * np.uint32(2) + np.uint32(1))).sum(dtype=np.uint32))


# ---- the network ----

def weights_of(node, device, dtype=torch.float32):
    if 'weight' not in node:
        return None, None
    shape = node['weight']
    amplitude = math.sqrt(6 / math.prod(shape[1:]))
    weight = torch.from_numpy(formula(node['name'] + '/w', shape, amplitude)).to(device, dtype)
    bias = torch.from_numpy(formula(node['name'] + '/b', [shape[0]], 0.1)).to(device, dtype)
    return weight, bias


def symmetric(padding):
    top, left, bottom, right = padding
    if (top, left) != (bottom, right):
        raise ValueError('unequal padding is not built here')
    return (top, left)


def layer_of(node, device, dtype=torch.float32):
    """A function of the layer's inputs."""
    op, a = node['op'], node['attributes']
    weight, bias = weights_of(node, device, dtype)
    if op == 'conv2d':
        padding = symmetric(a['padding'])
        return lambda x: F.conv2d(x, weight, bias, a['stride'], padding, a['dilation'], a['groups'])
    if op == 'dense':
        return lambda x: F.linear(x.flatten(1), weight, bias)
    if op == 'relu':
        return F.relu
    if op == 'clip':
        return lambda x: torch.clamp(x, a['min'], a['max'])
    if op == 'max_pool':
        padding = symmetric(a['padding'])
        return lambda x: F.max_pool2d(x, a['kernel'], a['stride'], padding, a['dilation'], a['ceil'])
    if op == 'global_average_pool':
        return lambda x: x.mean((2, 3), keepdim=True)
    if op == 'lrn':
        return lambda x: F.local_response_norm(x, a['size'], a['alpha'], a['beta'], a['k'])
    if op == 'add':
        return torch.add
    if op == 'concat':
        return lambda *parts: torch.cat(parts, a['axis'])
    raise ValueError(f"'{op}' is not built here")


def network_of(graph, device, dtype=torch.float32):
    """The network as a function of its input. Tensors go as soon as nobody reads them, unless the gradient needs them."""
    steps = [(layer_of(node, device, dtype), node['inputs'], node['output']) for node in graph['nodes']]
    last = {name: i for i, (_, inputs, _) in enumerate(steps) for name in inputs}

    def forward(x):
        values = {graph['input']: x}
        for i, (layer, inputs, output) in enumerate(steps):
            values[output] = layer(*(values[name] for name in inputs))
            for name in inputs:
                if last[name] == i:
                    values.pop(name, None)
        return values[graph['output']]

    return forward


def seed_of(shape, device):
    """Gradient of the result: score 7 of every image."""
    dy = np.zeros(shape, np.float32).reshape(shape[0], -1)
    dy[:, min(7, dy.shape[1] - 1)] = 1
    return torch.from_numpy(dy.reshape(shape)).to(device)


def work_of(row, graph, device, dtype=torch.float32):
    """The function to time, and the input as numpy."""
    x = formula(graph['name'] + '/x', [row['batch'], *graph['shape'][1:]], row['amplitude'])
    image = torch.from_numpy(x).to(device, dtype)
    if row['kind'] == 'input gradient':
        (node,) = graph['nodes']
        a = node['attributes']
        weight, _ = weights_of(node, device, dtype)
        with torch.no_grad():
            shape = list(layer_of(node, device, dtype)(image).shape)
        dy = torch.from_numpy(formula(graph['name'] + '/dy', shape, 1)).to(device, dtype)
        padding = symmetric(a['padding'])
        return lambda: torch.nn.grad.conv2d_input(image.shape, weight, dy, a['stride'], padding, a['dilation'], a['groups']), x
    forward = network_of(graph, device, dtype)
    if row['kind'] == 'forward':
        return torch.inference_mode()(lambda: forward(image)), x
    with torch.no_grad():
        dy = seed_of(list(forward(image).shape), device).to(dtype)
    image.requires_grad_(True)
    return lambda: torch.autograd.grad(forward(image), image, dy)[0], x


# ---- comparison and times ----

def kept_of(result, count):
    """Of every image, the elements that the report keeps; [images, elements] in double precision."""
    flat = result.detach().cpu().numpy().reshape(result.shape[0], -1)
    return flat[:, (np.arange(count) * flat.shape[1]) // count].astype(np.float64)


def disagreement(here, there):
    """Relative L2 distance of every image."""
    return np.linalg.norm(here - there, axis=1) / np.maximum(np.linalg.norm(there, axis=1), 1e-30)


def wait(device):
    if device == 'cuda':
        torch.cuda.synchronize()


def sample(run, device, samples):
    """Median of one run, ms; warmed up, and short runs queued together, as ours are."""
    begin = time.perf_counter()

    def take(count):
        begin = time.perf_counter()
        for _ in range(count):
            run()
        wait(device)
        return (time.perf_counter() - begin) * 1e3

    for _ in range(2):
        take(1)
    single = take(1)
    repeat = min(64, max(1, round(20 / max(single, 0.01))))
    while device == 'cuda' and time.perf_counter() - begin < WARM_UP:
        take(repeat)
    return statistics.median(take(repeat) / repeat for _ in range(samples))


def graphed(run):
    """The same work as one CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def time_row(row, graph, device, samples):
    run, x = work_of(row, graph, device)
    images = row['result']['shape'][0]
    ours = np.array(row['result']['values']).reshape(images, -1)
    theirs = kept_of(run(), ours.shape[1])
    errors = disagreement(theirs, ours)
    result = {'title': row['title'], 'sameInput': checksum(x) == row['x']['checksum'], 'error': float(np.median(errors)), 'worst': float(errors.max())}
    if result['worst'] > TOLERANCE:
        exact = kept_of(work_of(row, graph, device, torch.float64)[0](), ours.shape[1])
        result['exact'] = [{'median': float(np.median(off)), 'worst': float(off.max())} for off in (disagreement(ours, exact), disagreement(theirs, exact))]
    result['eager'] = sample(run, device, samples)
    if device == 'cuda':
        try:
            result['graph'] = sample(graphed(run), device, samples)
        except RuntimeError as fault:
            result['graphFault'] = str(fault).split('\n')[0]
    result['ours'] = statistics.median(row['timing']['samples'])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('report')
    parser.add_argument('--only', default='')
    parser.add_argument('--samples', type=int, default=7)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--json', default='pytorch.json')
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    with open(options.report, encoding='utf-8') as file:
        report = json.load(file)
    name = torch.cuda.get_device_name() if options.device == 'cuda' else f'CPU, {torch.get_num_threads()} threads'
    print(f"PyTorch {torch.__version__} on {name}, f32, TF32 off; ours on {report['adapter']}; median ms")
    print(f"{'':44}{'ours':>9}{'eager':>9}{'graph':>9}{'share':>8}{'error':>9}{'worst':>9}")
    rows, wrong = [], 0
    for row in report['rows']:
        if 'result' not in row or not row['timing']['samples'] or not re.search(options.only, row['title'], re.I):
            continue
        done = time_row(row, report['networks'][row['network']], options.device, options.samples)
        rows.append(done)
        most = DECISIONS if 'gradient' in row['kind'] else TOLERANCE
        exact = done.get('exact')
        near = done['error'] <= TOLERANCE or bool(exact) and exact[0]['median'] <= 2 * exact[1]['median']
        fine = done['sameInput'] and near and done['worst'] <= most
        wrong += not fine
        best = min(done['eager'], done.get('graph', math.inf))
        graph = f"{done['graph']:9.3f}" if 'graph' in done else f"{'-':>9}"
        verdict = '' if fine else '  DISAGREES' if done['sameInput'] else '  OTHER INPUT'
        both = [f"{one['median']:.0e}..{one['worst']:.0e}" for one in exact] if exact else []
        decided = f'  off double precision, median..worst image: {both[0]}, PyTorch {both[1]}' if exact else ''
        print(f"{done['title']:44}{done['ours']:9.3f}{done['eager']:9.3f}{graph}{best / done['ours']:8.0%}{done['error']:9.0e}{done['worst']:9.0e}{verdict}{decided}", flush=True)
        if options.device == 'cuda':
            torch.cuda.empty_cache()
    print("share: PyTorch's best time over ours, 100 % where both take as long; error: relative L2 of the median image")
    with open(options.json, 'w', encoding='utf-8') as file:
        json.dump({'torch': torch.__version__, 'device': name, 'rows': rows}, file, indent=1)
    return 1 if wrong or not rows else 0


if __name__ == '__main__':
    sys.exit(main())
