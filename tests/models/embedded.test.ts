/** The files of the embedded network agree with each other: manifest, weights, expected values, examples. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../models/embedded/', import.meta.url));

interface ManifestNode {
  name: string;
  op: string;
  inputs: string[];
  attributes?: Record<string, number | number[]>;
  weights?: Record<string, string>;
}

interface Manifest {
  format: string;
  version: number;
  name: string;
  weights: string;
  inputs: { name: string; shape: number[] }[];
  outputs: string[];
  preprocess: { channels: string; range: number; mean: number[]; std: number[]; fit: string };
  labels: string[];
  nodes: ManifestNode[];
}

interface StoredTensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

interface ExpectedPicture {
  picture: string;
  top: string;
  probability: number;
  logits: number[];
  layers: Record<string, { mean: number; l2: number }>;
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}

const manifest = readJson<Manifest>('network.json');
const { pictures: expected, sha256 } = readJson<{ pictures: ExpectedPicture[]; sha256: string }>('expected.json');
const weights = readFileSync(join(folder, manifest.weights));
const headerLength = Number(weights.readBigUInt64LE(0));
const stored = JSON.parse(weights.toString('utf8', 8, 8 + headerLength)) as Record<string, StoredTensor>;

/** The shape [C, H, W] or [K] after each node, worked out from the attributes alone; checks the weights on the way. */
function walkShapes(): Map<string, number[]> {
  const shapes = new Map(manifest.inputs.map((input) => [input.name, input.shape.slice(1)]));
  for (const node of manifest.nodes) {
    const from = shapes.get(node.inputs[0]!);
    if (!from) throw new Error(`${node.name}: its input ${node.inputs[0]} is not made before it`);
    const weight = node.weights && stored[node.weights.weight!]?.shape;
    let to = from;
    if (node.op === 'conv2d') {
      const [top, left, bottom, right] = node.attributes!.padding as number[];
      const [m, c, kh, kw] = weight as [number, number, number, number];
      expect(c, `${node.name}: channels`).toBe(from[0]);
      to = [m, from[1]! + top! + bottom! - kh + 1, from[2]! + left! + right! - kw + 1];
    } else if (node.op === 'max_pool') {
      const [kh, kw] = node.attributes!.kernel as number[];
      const [sh, sw] = node.attributes!.stride as number[];
      to = [from[0]!, Math.floor((from[1]! - kh!) / sh!) + 1, Math.floor((from[2]! - kw!) / sw!) + 1];
    } else if (node.op === 'dense') {
      expect(weight![1], `${node.name}: inputs`).toBe(from.reduce((a, b) => a * b, 1));
      to = [weight![0]!];
    }
    if (node.weights) expect(stored[node.weights.bias!]!.shape, `${node.name}: bias`).toEqual([to[0]]);
    shapes.set(node.name, to);
  }
  return shapes;
}

describe('embedded network', () => {
  it('has a manifest in our own form', () => {
    expect(manifest).toMatchObject({ format: 'unitscope', version: 1, name: 'embedded', outputs: ['prob'] });
    expect(manifest.preprocess).toMatchObject({ channels: 'RGB', range: 1, fit: 'crop' });
    expect(manifest.preprocess.mean).toHaveLength(3);
    expect(manifest.preprocess.std.every((s) => s > 0)).toBe(true);
    expect(new Set(manifest.labels).size).toBe(manifest.labels.length);
    expect(new Set(manifest.nodes.map((node) => node.name)).size).toBe(manifest.nodes.length);
  });

  it('stores every tensor that the manifest names, and no other', () => {
    const named = manifest.nodes.flatMap((node) => Object.values(node.weights ?? {}));
    expect(Object.keys(stored).sort()).toEqual(named.sort());
  });

  it('stores tensors whose bytes match their shapes and fill the file', () => {
    const sizes = { F16: 2, F32: 4 } as Record<string, number>;
    let at = 0;
    for (const [name, tensor] of Object.entries(stored)) {
      const bytes = tensor.shape.reduce((a, b) => a * b, 1) * sizes[tensor.dtype]!;
      expect(tensor.data_offsets, name).toEqual([at, at + bytes]);
      at += bytes;
    }
    expect(weights.length).toBe(8 + headerLength + at);
  });

  it('stores finite weights', () => {
    for (const [name, { dtype, data_offsets }] of Object.entries(stored)) {
      expect(dtype, name).toBe('F16');
      const data = weights.subarray(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]);
      let finite = true;
      // All exponent bits set: infinite or not a number.
      for (let i = 0; i < data.length; i += 2) finite &&= (data.readUInt16LE(i) & 0x7c00) !== 0x7c00;
      expect(finite, name).toBe(true);
    }
  });

  it('has layer shapes that fit their weights and end in one number per label', () => {
    const shapes = walkShapes();
    expect(shapes.get('conv1')).toEqual([32, 64, 64]);
    expect(shapes.get('pool4')).toEqual([96, 7, 7]);
    expect(shapes.get('prob')).toEqual([manifest.labels.length]);
  });

  it('is small: under 5 MB', () => {
    expect(statSync(join(folder, manifest.weights)).size).toBeLessThan(5e6);
  });
});

describe('expected values', () => {
  it.each(expected)('$picture: the picture exists and is told right', ({ picture, top, probability, logits }) => {
    const png = readFileSync(join(folder, picture));
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([256, 256]);
    expect(picture).toBe(`examples/${top}.png`);
    expect(logits).toHaveLength(manifest.labels.length);
    expect(manifest.labels[logits.indexOf(Math.max(...logits))]).toBe(top);
    const peak = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - peak), 0);
    expect(1 / total).toBeCloseTo(probability, 6);
  });

  it('has a mean and a norm for the input and every layer of every picture', () => {
    const names = [...manifest.inputs.map((input) => input.name), ...manifest.nodes.map((node) => node.name)];
    for (const { picture, layers } of expected) {
      expect(Object.keys(layers), picture).toEqual(names);
      expect(Object.values(layers).every(({ mean, l2 }) => Number.isFinite(mean) && l2 > 0), picture).toBe(true);
    }
  });

  it('was made from these weights', () => {
    expect(sha256).toBe(createHash('sha256').update(weights).digest('hex'));
  });

  it('comes with a model card and a training log', () => {
    expect(existsSync(join(folder, 'README.md'))).toBe(true);
    expect(existsSync(join(folder, 'log.txt'))).toBe(true);
  });
});
