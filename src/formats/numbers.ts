/** Little-endian numbers in file bytes. Every host with WebGPU is little-endian, so a view needs no swapping. */

interface NumberArray<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The bytes as numbers: a view where they lie aligned, else a copy. A rest shorter than one number is left out. */
export function littleEndianView<T>(bytes: Uint8Array, type: NumberArray<T>): T {
  const length = Math.floor(bytes.length / type.BYTES_PER_ELEMENT);
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, length);
}
