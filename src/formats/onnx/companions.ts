/** The files that an ONNX model keeps tensors in, found without reading the tensors. Field numbers from onnx.proto. */
import { readMessage, type Source } from '../protobuf.ts';
import { FILES_LIMIT, pathInside, readExternalEntry, type ExternalReference } from './external.ts';

/**
 * Paths below the model's folder, each once, at most FILES_LIMIT of them; none that leads out of it. What is broken is
 * left to the loader, which says so.
 */
export function companionsOf(source: Source): string[] {
  const paths = new Set<string>();
  const visitTensor = (bytes: Uint8Array): void => {
    const reference: ExternalReference = { location: '', offset: 0, length: undefined };
    readMessage(bytes, source, (field) => {
      if (field.number === 13) readExternalEntry(field.bytes(), source, reference);
    });
    const path = pathInside(reference.location);
    if (path !== undefined && paths.size < FILES_LIMIT) paths.add(path);
  };
  /** Descends along the fields that lead to tensors. */
  const descend = (bytes: Uint8Array, [number, ...rest]: readonly number[]): void => {
    if (number === undefined) {
      visitTensor(bytes);
      return;
    }
    readMessage(bytes, source, (field) => {
      if (field.number === number) descend(field.bytes(), rest);
    });
  };
  try {
    descend(source.bytes, [7, 5]); // graph, initializer
    descend(source.bytes, [7, 1, 5, 5]); // graph, node, attribute, tensor
  } catch {
    // The loader reads the same bytes and reports.
  }
  return [...paths];
}
