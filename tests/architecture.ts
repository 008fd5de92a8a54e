/**
 * The architecture as a check over sources: which room may import which, no cycles, no document in the
 * engine, no Node outside its room. Sources come as a map from path to text, so that a planted
 * violation is one entry of a map.
 */
import { posix } from 'node:path';
import ts from 'typescript';

export type Sources = ReadonlyMap<string, string>;

export interface Import {
  readonly from: string;
  /** A path of the project, or a package name. */
  readonly to: string;
}

interface Room {
  /** Rooms that it may import, besides itself. */
  readonly rooms: readonly string[];
  /** Packages that it may import; absent: any. */
  readonly packages?: readonly string[];
}

const ENGINE = ['errors', 'gpu', 'network', 'formats', 'ops', 'shaders', 'scheduler', 'image', 'analysis', 'methods'];

/** The one way that imports may flow. A room is a folder of src/, a file of src/, shaders/ or viewer/. */
export const ROOMS: Readonly<Record<string, Room>> = {
  errors: { rooms: [], packages: [] },
  gpu: { rooms: ['errors'], packages: [] },
  network: { rooms: ['errors'], packages: [] },
  formats: { rooms: ['errors', 'network'], packages: ['@bufbuild/protobuf'] },
  shaders: { rooms: [], packages: ['wgsl-preprocessor'] },
  ops: { rooms: ['errors', 'network', 'gpu', 'shaders'], packages: [] },
  scheduler: { rooms: ['errors', 'network', 'gpu', 'shaders', 'ops'], packages: [] },
  image: { rooms: ['errors', 'network'], packages: [] },
  analysis: { rooms: ['errors'], packages: [] },
  methods: { rooms: ENGINE.filter((room) => room !== 'formats'), packages: [] },
  index: { rooms: ENGINE, packages: [] },
  node: { rooms: ['index', 'errors', 'formats'] },
  viewer: { rooms: ['index'], packages: ['lit'] },
};

/** 'src/ops/conv2d.ts' -> 'ops', 'src/index.ts' -> 'index', 'viewer/app.ts' -> 'viewer'. */
export function roomOf(path: string): string {
  const [top, second] = path.split('/');
  if (top !== 'src') return top;
  return second.replace(/\.(d\.)?ts$/, '');
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
}

/** Every module name in a file: import, export from, import(), import type, import('...').T. */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (name: string) => {
    const to = name.startsWith('.') ? posix.join(posix.dirname(path), name.replace(/\?.*$/, '')) : name;
    found.push({ from: path, to });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      add(node.argument.literal.text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [name] = node.arguments;
      add(name && ts.isStringLiteralLike(name) ? name.text : '(computed)');
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(path, text));
  return found;
}

const isLocal = (to: string) => /^(src|shaders|viewer|models|tests|package\.json|\.\.)/.test(to);
const packageOf = (to: string) => to.split('/').slice(0, to.startsWith('@') ? 2 : 1).join('/');

/** Imports against the order of the rooms. */
export function misdirected(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => importsOf(path, text).flatMap((arrow) => faultOf(arrow) ?? []));
}

function faultOf({ from, to }: Import): string | undefined {
  const here = roomOf(from);
  const rules = ROOMS[here] as Room | undefined;
  if (!rules) return `${from}: the room '${here}' is not in the list of rooms`;
  if (/^node:/.test(to)) return here === 'node' ? undefined : `${from} imports ${to}: only src/node knows Node`;
  if (!isLocal(to)) {
    const allowed = !rules.packages || rules.packages.includes(packageOf(to));
    return allowed ? undefined : `${from} imports the package ${to}`;
  }
  // The network that comes with the program: its files belong to whoever shows or runs it.
  if (/^(models\/|package\.json)/.test(to)) return here === 'node' || here === 'viewer' ? undefined : `${from} imports ${to}`;
  const there = roomOf(to);
  return here === there || rules.rooms.includes(there) ? undefined : `${from} imports ${to}: ${here} may not import ${there}`;
}

/** One cycle of imports as a path that ends where it starts, or an empty list. Type imports count. */
export function cycle(sources: Sources): string[] {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path) || !sources.has(path)) return [];
    for (const { to } of importsOf(path, sources.get(path)!)) {
      const found = walk(to, [...trail, path]);
      if (found.length > 0) return found;
    }
    done.add(path);
    return [];
  };
  for (const path of sources.keys()) {
    const found = walk(path, []);
    if (found.length > 0) return found;
  }
  return [];
}

const DOM =
  /^(document|window|self|navigator|location|history|localStorage|sessionStorage|alert|customElements|requestAnimationFrame|createImageBitmap|importScripts|postMessage|ImageData|ImageBitmap|ImageBitmapSource|OffscreenCanvas\w*|CanvasRenderingContext2D|XMLHttpRequest|FileReader|HTML\w*Element|SVG\w*Element|Element|ShadowRoot|Document|Window|Navigator|DOMParser|MutationObserver|ResizeObserver)$/;
const NODE = /^(process|Buffer|require|__dirname|__filename|setImmediate|NodeJS)$/;

/** True for declarations whose name is reached through an object only: it hides no global. */
function namesMember(node: ts.Node): boolean {
  return ts.isPropertyAssignment(node) || ts.isPropertySignature(node) || ts.isClassElement(node) || ts.isMethodSignature(node);
}

/** Names of the page or of Node that a file uses and does not declare itself. */
function foreignNames(path: string, text: string, banned: RegExp): string[] {
  const file = parse(path, text);
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) sort(node);
    ts.forEachChild(node, visit);
  };
  const sort = (node: ts.Identifier): void => {
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
      if (parent.expression.getText(file) === 'globalThis') used.add(node.text);
    } else if (ts.isShorthandPropertyAssignment(parent)) {
      used.add(node.text);
    } else if ((parent as Partial<ts.NamedDeclaration>).name === node) {
      if (!namesMember(parent)) declared.add(node.text);
    } else if (!(ts.isBindingElement(parent) && parent.propertyName === node)) {
      used.add(node.text);
    }
  };
  visit(file);
  return [...used].filter((name) => banned.test(name) && !declared.has(name)).map((name) => `${path} uses ${name}`);
}

/** The engine and its shaders run in a page, in a worker and in Node: they know none of them. */
export function hostNames(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const room = roomOf(path);
    if (room === 'node') return [];
    if (room === 'viewer') return foreignNames(path, text, NODE);
    return [...foreignNames(path, text, DOM), ...foreignNames(path, text, NODE)];
  });
}
