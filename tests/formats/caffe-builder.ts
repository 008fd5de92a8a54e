/** Writes small caffemodels for tests. Field numbers from caffe.proto. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export interface Blob {
  /** Four sizes or fewer; `legacy` writes them as num, channels, height, width. */
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly legacy?: boolean;
  readonly double?: boolean;
}

/** Blobs by layer; version 1 has other field numbers. */
export function caffeModel(layers: Readonly<Record<string, readonly Blob[]>>, version: 1 | 2 = 2): Uint8Array {
  const [layerField, nameField, blobField] = version === 2 ? [100, 1, 7] : [2, 4, 6];
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string('test');
  for (const [name, blobs] of Object.entries(layers)) {
    writer.tag(layerField, WireType.LengthDelimited).fork();
    writer.tag(nameField, WireType.LengthDelimited).string(name);
    for (const blob of blobs) writer.tag(blobField, WireType.LengthDelimited).bytes(blobProto(blob));
    writer.join();
  }
  return writer.finish();
}

export function blobProto({ shape, data, legacy = false, double = false }: Blob): Uint8Array {
  const writer = new BinaryWriter();
  if (legacy) shape.forEach((size, index) => writer.tag(index + 1, WireType.Varint).int32(size));
  const numbers = double ? Float64Array.from(data) : Float32Array.from(data);
  writer.tag(double ? 8 : 5, WireType.LengthDelimited).bytes(new Uint8Array(numbers.buffer));
  if (!legacy) {
    writer.tag(7, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).fork();
    for (const size of shape) writer.int64(size);
    writer.join().join();
  }
  return writer.finish();
}
