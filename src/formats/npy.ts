/**
 * The .npy container: magic, version, a header that is a Python dictionary literal, then the numbers.
 * Read: versions 1 and 2, '<f4', '<f8', '<f2', '|u1', C order. Written: '<f4'.
 */
import { UnitscopeError } from '../errors.ts';
import type { Tensor } from '../network/network.ts';
import { elementCount } from '../network/validate.ts';
import { quote } from '../network/spelling.ts';
import { refuseForeign } from './content.ts';
import { decodeFloat16 } from '../network/float16.ts';
import { littleEndianView } from './numbers.ts';
import { asciiPrefix, encodeText } from './text.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const TYPES: Readonly<Record<string, { size: number; decode: (bytes: Uint8Array) => Float32Array }>> = {
  '<f4': { size: 4, decode: (bytes) => littleEndianView(bytes, Float32Array) },
  '<f8': { size: 8, decode: (bytes) => Float32Array.from(littleEndianView(bytes, Float64Array)) },
  '<f2': { size: 2, decode: decodeFloat16 },
  '|u1': { size: 1, decode: (bytes) => Float32Array.from(bytes) },
};

/** Reads one array as float32. Throws 'model-format' or, for number types and Fortran order, 'model-unsupported'. */
export function readNpy(bytes: Uint8Array, file = 'npy'): Tensor {
  refuseForeign(bytes, file);
  const fault = (message: string, offset: number): UnitscopeError =>
    new UnitscopeError('model-format', message, { file, offset });
  const unsupported = (message: string): UnitscopeError =>
    new UnitscopeError('model-unsupported', message, { file }, `C order and ${Object.keys(TYPES).join(' ')} can be read`);

  if (!MAGIC.every((byte, index) => bytes[index] === byte)) throw fault('this is no .npy file', 0);
  const version = bytes[6];
  if (version !== 1 && version !== 2) throw fault(`.npy version ${version ?? '(cut)'} is unknown`, 6);
  const lengthSize = version === 1 ? 2 : 4;
  const headerStart = 8 + lengthSize;
  if (bytes.length < headerStart) throw fault('the file is cut in its header', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const dataStart = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart > bytes.length) throw fault('the file is cut in its header', bytes.length);
  if (dataStart - headerStart > 10_000) throw fault('the header is longer than 10,000 bytes', 8);
  const header = asciiPrefix(bytes.subarray(headerStart, dataStart), 10_000);

  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shapeText = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (!descr || !order || shapeText === undefined) throw fault('the header lacks descr, fortran_order or shape', headerStart);
  if (descr[2]) throw unsupported('the array has named fields');
  const typeName = descr[1]!;
  const type = Object.hasOwn(TYPES, typeName) ? TYPES[typeName] : undefined;
  if (!type) {
    const what = typeName.includes('O') ? 'Python objects' : `numbers of type ${quote(typeName)}`;
    throw unsupported(`the array holds ${what}`);
  }
  if (order === 'True') throw unsupported('the array is in Fortran order');
  const shape = shapeText.split(',').map((size) => size.trim()).filter(Boolean).map(Number);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw fault(`the shape (${shapeText}) is wrong`, headerStart);
  }
  const needed = elementCount(shape) * type.size;
  if (needed !== bytes.length - dataStart) {
    throw fault(`the shape (${shape}) needs ${needed} bytes, ${bytes.length - dataStart} are there`, dataStart);
  }
  return { shape, data: type.decode(bytes.subarray(dataStart)) };
}

/** Writes a float32 array, version 1, data aligned to 64 bytes. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const shape = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(', ');
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const dataStart = Math.ceil((10 + header.length + 1) / 64) * 64;
  const { data } = tensor;
  const bytes = new Uint8Array(dataStart + data.byteLength);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, dataStart - 10, true);
  bytes.set(encodeText(`${header.padEnd(dataStart - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dataStart);
  return bytes;
}
