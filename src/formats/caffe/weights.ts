/**
 * The binary side of Caffe: blobs of a `.caffemodel` by layer, and the mean of a `.binaryproto`. Field numbers from
 * caffe.proto; `layer` is the present form of a layer, `layers` that of version 1.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { UnitscopeError } from '../../errors.ts';
import type { Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import { littleEndianView } from '../numbers.ts';
import { ByteCollector, readMessage, type Source } from '../protobuf.ts';

/** Numbers of the fields of NetParameter that hold layers, and in those the numbers of name and blobs. */
const LAYERS = new Map([[100, { name: 1, blobs: 7 }], [2, { name: 4, blobs: 6 }]]);

/** Wire types of the fields of NetParameter; only these make a file a network. */
const NET_FIELDS = new Map<number, readonly WireType[]>([
  [1, [WireType.LengthDelimited]], // name
  [2, [WireType.LengthDelimited]], // layers
  [3, [WireType.LengthDelimited]], // input
  [4, [WireType.Varint, WireType.LengthDelimited]], // input_dim
  [5, [WireType.Varint]], // force_backward
  [6, [WireType.LengthDelimited]], // state
  [7, [WireType.Varint]], // debug_info
  [8, [WireType.LengthDelimited]], // input_shape
  [100, [WireType.LengthDelimited]], // layer
]);

/** True where the first fields of a file are those of a network's weights; a cut one still counts, so that its reader can say so. */
export function isCaffeModel(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  let layers = 0;
  try {
    for (let count = 0; count < 64 && reader.pos < reader.len; count++) {
      const [number, type] = reader.tag();
      if (!NET_FIELDS.get(number)?.includes(type)) return false;
      layers += Number(LAYERS.has(number));
      reader.skip(type, number);
    }
  } catch {
    return layers > 0;
  }
  return layers > 0;
}

/** Blobs in the order of their layer, by its name. @throws model-format, model-invalid */
export function readCaffeModel(source: Source): Map<string, Tensor[]> {
  const layers = new Map<string, Tensor[]>();
  readMessage(source.bytes, source, (field) => {
    const form = LAYERS.get(field.number);
    if (!form) return;
    let name = '';
    const blobs: Tensor[] = [];
    readMessage(field.bytes(), source, (part) => {
      if (part.number === form.name) name = part.text();
      else if (part.number === form.blobs) blobs.push(readBlob(part.bytes(), source));
    });
    if (blobs.length === 0) return;
    if (layers.has(name)) throw new UnitscopeError('model-invalid', `two layers with weights are called ${quote(name)}`, { file: source.file });
    layers.set(name, blobs);
  });
  return layers;
}

/**
 * One BlobProto; its shape as a list, or in old files as num, channels, height, width.
 * @throws model-format, model-invalid where shape and data disagree
 */
export function readBlob(bytes: Uint8Array, source: Source): Tensor {
  const legacy = [1, 1, 1, 1];
  let shape: number[] | undefined;
  const singles = new ByteCollector();
  const doubles = new ByteCollector();
  readMessage(bytes, source, (field) => {
    if (field.number >= 1 && field.number <= 4) legacy[field.number - 1] = field.integer();
    else if (field.number === 5) singles.add(field.fixed(4));
    else if (field.number === 8) doubles.add(field.fixed(8));
    else if (field.number === 7) shape = readShape(field.bytes(), source);
  });
  const wide = doubles.bytes();
  const data = wide.length > 0 ? Float32Array.from(littleEndianView(wide, Float64Array)) : littleEndianView(singles.bytes(), Float32Array);
  const sizes = shape ?? legacy;
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0) || elementCount(sizes) !== data.length) {
    throw new UnitscopeError('model-invalid', `a blob of the shape [${sizes}] has ${data.length} numbers`, { file: source.file, offset: bytes.byteOffset - source.bytes.byteOffset });
  }
  return { shape: sizes, data };
}

function readShape(bytes: Uint8Array, source: Source): number[] {
  const sizes: number[] = [];
  readMessage(bytes, source, (field) => {
    if (field.number === 1) field.integers(sizes);
  });
  return sizes;
}
