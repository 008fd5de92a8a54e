/** Reads the resource interface of a kernel from its WGSL, so that binding numbers are written once. */

export interface Binding {
  readonly index: number;
  readonly name: string;
  readonly access: 'read' | 'read_write';
}

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)/g;

/** The storage bindings of group 0 in order of their index. */
export function bindingsOf(code: string): Binding[] {
  return [...code.matchAll(DECLARATION)]
    .map(([, index, access, name]) => ({ index: Number(index), name: name!, access: access as Binding['access'] }))
    .sort((a, b) => a.index - b.index);
}
