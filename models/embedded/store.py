"""Writes and reads the stored form: network.json beside weights.safetensors."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """8-byte little-endian length of the header, the JSON header, the tensors one after another; all float16."""
    header, at = {}, 0
    for name, value in tensors.items():
        header[name] = {'dtype': 'F16', 'shape': list(value.shape), 'data_offsets': [at, at + 2 * value.size]}
        at += 2 * value.size
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    body = b''.join(np.ascontiguousarray(v, '<f2').tobytes() for v in tensors.values())
    path.write_bytes(struct.pack('<Q', len(text)) + text + body)


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    (length,) = struct.unpack('<Q', data[:8])
    body = data[8 + length :]
    kinds = {'F16': '<f2', 'F32': '<f4'}
    return {
        name: np.frombuffer(body[slice(*row['data_offsets'])], kinds[row['dtype']]).reshape(row['shape'])
        for name, row in json.loads(data[8 : 8 + length]).items()
    }


def stored_nodes(plan) -> list[dict]:
    """The plan's rows as nodes of the manifest. Dropout has no part in the stored network."""
    nodes, last = [], 'data'
    for name, kind, settings in [*plan.rows, ('prob', 'softmax', ())]:
        if kind == 'dropout':
            continue
        node = {'name': name, 'op': kind, 'inputs': [last]}
        if kind == 'conv2d':
            node['attributes'] = {'stride': [1, 1], 'padding': [settings[0] // 2] * 4}
        elif kind == 'max_pool':
            node['attributes'] = {'kernel': [3, 3], 'stride': [2, 2]}
        elif kind == 'lrn':
            node['attributes'] = {'size': 5, 'alpha': 0.1, 'beta': 0.75, 'k': 1}
        if f'{name}/weight' in plan.parameters:
            node['weights'] = {'weight': f'{name}/weight', 'bias': f'{name}/bias'}
        nodes.append(node)
        last = name
    return nodes


def save(folder: Path, plan, mean: list[float], std: list[float], labels) -> dict[str, np.ndarray]:
    """Writes both files; returns the parameters as stored (rounded to float16), in the plan's own layout."""
    tensors, rounded = {}, {}
    kernels = {name: settings for name, kind, settings in plan.rows if kind == 'conv2d'}
    for name, parameter in plan.parameters.items():
        value = parameter.value.astype('<f2')
        rounded[name] = value.astype(np.float32)
        layer, role = name.split('/')
        if layer in kernels and role == 'weight':
            k, c, m = kernels[layer]
            value = value.reshape(k, k, c, m).transpose(3, 2, 0, 1)
        tensors[name] = value
    manifest = {
        'format': 'unitscope',
        'version': 1,
        'name': 'embedded',
        'weights': 'weights.safetensors',
        'inputs': [{'name': 'data', 'shape': [1, 3, 64, 64]}],
        'outputs': ['prob'],
        'preprocess': {'channels': 'RGB', 'range': 1, 'mean': mean, 'std': std, 'fit': 'crop'},
        'labels': list(labels),
    }
    rows = ',\n    '.join(json.dumps(node) for node in stored_nodes(plan))
    head = ',\n  '.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in manifest.items())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'network.json').write_text(f'{{\n  {head},\n  "nodes": [\n    {rows}\n  ]\n}}\n')
    write_safetensors(folder / 'weights.safetensors', tensors)
    return rounded


def load(folder: Path, plan) -> None:
    """The stored weights into the plan's parameters; the reverse of `save`."""
    for name, value in read_safetensors(folder / 'weights.safetensors').items():
        kept = plan.parameters[name].value
        if value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)
        kept[:] = value.reshape(kept.shape)
