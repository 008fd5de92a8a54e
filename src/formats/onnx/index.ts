/** ONNX: one protobuf file with graph and weights. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Format } from '../format.ts';
import { companionsOf } from './companions.ts';
import { readOnnx } from './graph.ts';

export { readOnnx, type OnnxOptions } from './graph.ts';
export { readTensorProto, type OnnxTensor } from './tensor.ts';

/** Wire types of the fields of ModelProto. */
const MODEL_FIELDS = new Map<number, WireType>([
  [1, WireType.Varint], // ir_version
  [2, WireType.LengthDelimited], // producer_name
  [3, WireType.LengthDelimited],
  [4, WireType.LengthDelimited],
  [5, WireType.Varint], // model_version
  [6, WireType.LengthDelimited],
  [7, WireType.LengthDelimited], // graph
  [8, WireType.LengthDelimited], // opset_import
  [14, WireType.LengthDelimited],
  [20, WireType.LengthDelimited],
  [25, WireType.LengthDelimited],
  [26, WireType.LengthDelimited],
]);

export const onnxFormat: Format = {
  name: 'ONNX',
  extensions: ['.onnx', '.pb'],
  recognise: ({ bytes }) => isModel(bytes),
  load: async (main, files, { strict, inputShape }) => readOnnx(main.bytes, main.name, { strict, inputShape, files }),
  companions: ({ name, bytes }) => companionsOf({ file: name, bytes }),
};

/**
 * A ModelProto usually begins with ir_version, a small number, and then only has fields that it knows.
 * A cut file still counts, so that its reader can say where it was cut.
 */
function isModel(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  const seen = new Set<number>();
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      if (MODEL_FIELDS.get(number) !== type) return false;
      seen.add(number);
      if (number === 1) {
        if (Number(reader.int64()) > 1000) return false;
      } else reader.skip(type, number);
    }
  } catch {
    return seen.has(1) && seen.size > 1;
  }
  return seen.has(7);
}
