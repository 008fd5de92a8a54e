/** What the kernels that draw share: a triangle over the whole surface, and the record of numbers they are given. */

/** Draws pixels without a vertex buffer: three corners, of which the surface cuts out its rectangle. */
export const wholeSurface = `
@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}`;

/** WGSL: a record of f32 fields, in this order. */
export const record = (name: string, fields: readonly string[]): string =>
  `struct ${name} { ${fields.map((field) => `${field}: f32,`).join(' ')} }`;

/** The numbers of a record in the order of its fields. */
export const recordWords = <K extends string>(fields: readonly K[], values: Readonly<Record<K, number>>): Float32Array<ArrayBuffer> =>
  Float32Array.from(fields, (field) => values[field]);
