/**
 * ModelProto, GraphProto, NodeProto, AttributeProto, ValueInfoProto: what the loader needs of them.
 * Field numbers from onnx.proto.
 */
import { UnitscopeError } from '../../errors.ts';
import type { Shape } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { checkLayerCount } from '../budget.ts';
import { readMessage, type Source } from '../protobuf.ts';
import { MissingFileError, type ExternalFiles } from './external.ts';
import { readTensorProto, typeName, type OnnxTensor } from './tensor.ts';

/** One attribute; a field is there when the file has it. `kind` is AttributeProto.AttributeType, 0 in old files. */
export interface OnnxAttribute {
  readonly name: string;
  readonly kind: number;
  readonly float?: number;
  readonly integer?: number;
  readonly text?: string;
  /** TensorProto, not yet read. */
  readonly tensor?: Uint8Array;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
}

export interface OnnxValueInfo {
  readonly name: string;
  /** Number type, e.g. `FLOAT`; or `SEQUENCE` and the like. */
  readonly type: string;
  /** A number where the size is fixed, else its name; undefined when the file gives no shape. */
  readonly shape?: readonly (number | string)[];
}

export interface OnnxModel {
  readonly source: Source;
  readonly name: string;
  /** Version of the operator set by domain; the default domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Constants that could not be read, by name. */
  readonly unreadable: ReadonlyMap<string, Unreadable>;
}

export interface Unreadable {
  /** Undefined where its file is missing, which is told once for all tensors. */
  readonly reason: string | undefined;
  readonly shape: Shape;
}

/** Throws 'model-format' when the bytes are no ONNX model. */
export function readModel(source: Source, files?: ExternalFiles): OnnxModel {
  const opsets = new Map<string, number>();
  let graph: Uint8Array | undefined;
  readMessage(source.bytes, source, (field) => {
    if (field.number === 7) graph = field.bytes();
    else if (field.number === 8) {
      const { domain, version } = readOpset(field.bytes(), source);
      opsets.set(domain === 'ai.onnx' ? '' : domain, version);
    }
  });
  if (!graph) {
    const hint = 'a cut file, or a tensor alone?';
    throw new UnitscopeError('model-format', 'there is no graph in the file', { file: source.file }, hint);
  }
  // Before version 3 of the file form the operator set was not stated and was the first one.
  if (!opsets.has('')) opsets.set('', 1);
  return { source, opsets, ...readGraph(graph, source, files) };
}

function readOpset(bytes: Uint8Array, source: Source): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  readMessage(bytes, source, (field) => {
    if (field.number === 1) domain = field.text();
    else if (field.number === 2) version = field.integer();
  });
  return { domain, version };
}

function readGraph(bytes: Uint8Array, source: Source, files: ExternalFiles | undefined): Omit<OnnxModel, 'source' | 'opsets'> {
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const constants = new Map<string, OnnxTensor>();
  const unreadable = new Map<string, Unreadable>();
  let name = '';
  readMessage(bytes, source, (field) => {
    if (field.number === 1) {
      nodes.push(readNode(field.bytes(), source));
      checkLayerCount(nodes.length, source.file);
    }
    else if (field.number === 2) name = field.text();
    else if (field.number === 5) readInitializer(field.bytes(), source, files, constants, unreadable);
    else if (field.number === 11) inputs.push(readValueInfo(field.bytes(), source));
    else if (field.number === 12) outputs.push(readValueInfo(field.bytes(), source));
    else if (field.number === 15) readSparse(field.bytes(), source, unreadable);
  });
  return { name, nodes, inputs, outputs, constants, unreadable };
}

function readInitializer(
  bytes: Uint8Array,
  source: Source,
  files: ExternalFiles | undefined,
  constants: Map<string, OnnxTensor>,
  unreadable: Map<string, Unreadable>,
): void {
  try {
    const tensor = readTensorProto(bytes, source, files);
    if (constants.has(tensor.name)) {
      throw new UnitscopeError('model-invalid', `two constants are called ${quote(tensor.name)}`, { file: source.file });
    }
    constants.set(tensor.name, tensor);
  } catch (error) {
    // Only told at the end, together with everything else that is not supported.
    if (!(error instanceof UnitscopeError) || error.code !== 'model-unsupported') throw error;
    const { name, shape } = initializerHead(bytes, source);
    const isMissing = error instanceof MissingFileError;
    unreadable.set(name, { reason: isMissing ? undefined : error.message, shape });
  }
}

/** A SparseTensorProto: its name is that of its values (field 1). */
function readSparse(bytes: Uint8Array, source: Source, unreadable: Map<string, Unreadable>): void {
  let name = '';
  const shape: number[] = [];
  readMessage(bytes, source, (field) => {
    if (field.number === 1) name = initializerHead(field.bytes(), source).name;
    else if (field.number === 3) field.integers(shape);
  });
  unreadable.set(name, { reason: `tensor ${quote(name)} is sparse, which is not supported`, shape });
}

function initializerHead(bytes: Uint8Array, source: Source): { name: string; shape: Shape } {
  let name = '';
  const shape: number[] = [];
  readMessage(bytes, source, (field) => {
    if (field.number === 8) name = field.text();
    else if (field.number === 1) field.integers(shape);
  });
  return { name, shape };
}

function readNode(bytes: Uint8Array, source: Source): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: OnnxAttribute[] = [];
  const node = { name: '', op: '', domain: '', inputs, outputs, attributes };
  readMessage(bytes, source, (field) => {
    if (field.number === 1) node.inputs.push(field.text());
    else if (field.number === 2) node.outputs.push(field.text());
    else if (field.number === 3) node.name = field.text();
    else if (field.number === 4) node.op = field.text();
    else if (field.number === 5) node.attributes.push(readAttribute(field.bytes(), source));
    else if (field.number === 7) node.domain = field.text();
  });
  if (node.op === '') throw new UnitscopeError('model-invalid', `a layer ${node.name === '' ? '' : `(${quote(node.name)}) `}has no op`, { file: source.file, offset: bytes.byteOffset - source.bytes.byteOffset });
  if (node.domain === 'ai.onnx') node.domain = '';
  return node;
}

function readAttribute(bytes: Uint8Array, source: Source): OnnxAttribute {
  const integers: number[] = [];
  const floats: number[] = [];
  const attribute: { -readonly [K in keyof OnnxAttribute]: OnnxAttribute[K] } = { name: '', kind: 0, floats, integers };
  readMessage(bytes, source, (field) => {
    if (field.number === 1) attribute.name = field.text();
    else if (field.number === 2) attribute.float = field.float();
    else if (field.number === 3) attribute.integer = field.integer();
    else if (field.number === 4) attribute.text = field.text();
    else if (field.number === 5) attribute.tensor = field.bytes();
    else if (field.number === 7) {
      const packed = field.fixed(4);
      const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
      for (let at = 0; at + 4 <= packed.length; at += 4) floats.push(view.getFloat32(at, true));
    } else if (field.number === 8) field.integers(integers);
    else if (field.number === 20) attribute.kind = field.integer();
  });
  return attribute;
}

function readValueInfo(bytes: Uint8Array, source: Source): OnnxValueInfo {
  const info: { -readonly [K in keyof OnnxValueInfo]: OnnxValueInfo[K] } = { name: '', type: 'UNDEFINED' };
  readMessage(bytes, source, (field) => {
    if (field.number === 1) info.name = field.text();
    else if (field.number === 2) {
      readMessage(field.bytes(), source, (kind) => {
        if (kind.number === 1) Object.assign(info, readTensorType(kind.bytes(), source));
        else if (kind.number !== 6) info.type = 'something that is no tensor'; // 6 is a comment
      });
    }
  });
  return info;
}

function readTensorType(bytes: Uint8Array, source: Source): Pick<OnnxValueInfo, 'type' | 'shape'> {
  let type = 'UNDEFINED';
  let shape: (number | string)[] | undefined;
  readMessage(bytes, source, (field) => {
    if (field.number === 1) type = typeName(field.integer());
    else if (field.number === 2) {
      const dims: (number | string)[] = (shape = []);
      readMessage(field.bytes(), source, (entry) => {
        if (entry.number === 1) dims.push(readDimension(entry.bytes(), source));
      });
    }
  });
  return shape ? { type, shape } : { type };
}

function readDimension(bytes: Uint8Array, source: Source): number | string {
  let dimension: number | string = '?';
  readMessage(bytes, source, (field) => {
    if (field.number === 1) dimension = field.integer();
    else if (field.number === 2) dimension = field.text() || '?';
  });
  return dimension;
}
