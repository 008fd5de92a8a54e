/** Something else in the place of a model, or of one of its files. */
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { diamond } from '../../network/graphs.ts';
import { hostile, type HostileCase } from './case.ts';

const PAGE = '<!DOCTYPE html><html><head><title>404</title></head></html>';
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 52997200\n`;
const PROTOTXT = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4 layer { name: "a" type: "ReLU" bottom: "x" top: "a" }';
const { json } = writeManifest(diamond());

export const contentCases: readonly HostileCase[] = [
  hostile('a web page called .onnx', /this is a web page/, ['net.onnx', () => PAGE]),
  hostile('a web page called .safetensors beside its manifest', /this is a web page/, ['net.json', () => json], ['weights.safetensors', () => PAGE]),
  hostile('a web page called .caffemodel', /web page|weights are missing/, ['net.prototxt', () => PROTOTXT], ['net.caffemodel', () => PAGE]),
  hostile('a Git LFS pointer called .onnx', /Git LFS pointer.*|git lfs pull/s, ['net.onnx', () => POINTER]),
  hostile('a Git LFS pointer in place of the weights', /Git LFS pointer/, ['net.json', () => json], ['weights.safetensors', () => POINTER]),
  hostile('nothing', /empty file/, ['net.onnx', () => '']),
  hostile('one byte', /not a network/, ['net.onnx', () => Uint8Array.of(0)]),
  hostile('a megabyte of zeros', /not a network|cut|no graph|broken/, ['net.onnx', () => new Uint8Array(2 ** 20)]),
  hostile('a megabyte of 0xff', /not a network|broken|cut/, ['net.onnx', () => new Uint8Array(2 ** 20).fill(0xff)]),
  hostile('a PNG', /PNG picture/, ['net.onnx', () => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10)]),
  hostile('a zip that claims to be a network', /zip archive/, ['net.json', () => Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0)]),
  hostile('a pickle', /PyTorch pickle/, ['net.pth', () => Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc)]),
  hostile('a gzip', /gzip archive/, ['net.onnx.gz', () => Uint8Array.of(0x1f, 0x8b, 8, 0)]),
  hostile('two networks at once', /several networks at once/, ['a.json', () => json], ['b.json', () => json]),
  hostile('a name that reads from right to left', /not a network/, ['\u202Exnno.ten', () => 'what is this?']),
  hostile('a name with markup', /not a network/, ['<img src=x onerror=alert(1)>.onnx', () => 'what is this?']),
  hostile('a name of 100,000 letters', /not a network/, ['n'.repeat(100_000), () => 'what is this?']),
];
