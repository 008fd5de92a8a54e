/**
 * Why a step stays far below its limit: what its kernel's text and grid tell (invocations, 4-byte accesses, loads for
 * one operation), each turned into the time that it costs on a device and set beside the time that was measured.
 * What none of them explains is said to be unexplained, and that other programs use the device where they do.
 */
import { bindingsOf } from '../gpu/bindings.ts';
import type { Ceilings, Cost } from './cost.ts';
import type { PlannedTensor, Step } from './plan.ts';

/** Below this share of its limit a step owes an explanation. */
export const SHORTFALL = 0.1;

/** A division or a function is worth a word where it, taken for so many operations, is most of an invocation's work. */
const DEAR = 16;

/** Where less of the arithmetic than this is sustained, times say more of other programs than of a kernel. */
const BUSY = 0.7;

export interface KernelFacts {
  readonly invocations: number;
  /** Bytes of the tensors that it touches by 4 bytes at once. */
  readonly wordBytes: number;
  /** Loads for operands: one for each operation; where values in registers are used again, as many as the text has for each. */
  readonly loads: number;
  /** Operations of one invocation. */
  readonly operations: number;
  /** Divisions and remainders of whole numbers in the text of one invocation. */
  readonly divisions: number;
  /** Functions that count as one operation and are many: pow, exp, ... */
  readonly functions: readonly string[];
}

/** Reads what matters of a kernel from its text: rules of thumb over the WGSL that our templates write. */
export function factsOf({ code, grid, flops, tensors, choice }: Pick<Step, 'code' | 'grid' | 'flops' | 'tensors' | 'choice'>, planned: readonly PlannedTensor[]): KernelFacts {
  const workgroup = (/@workgroup_size\(([^)]*)\)/.exec(code)?.[1] ?? '1').split(',').reduce((product, size) => product * parseInt(size, 10), 1);
  const body = code.slice(code.indexOf('fn main'));
  const bindings = bindingsOf(code);
  const isWord = (name: string): boolean => new RegExp(`\\b${name}\\s*:\\s*array<\\s*[fui]32\\b`).test(code);
  const bytes = bindings.filter(({ name }) => isWord(name)).map(({ name }) => planned[tensors[name] ?? -1]?.bytes ?? 0);
  const invocations = workgroup * grid[0] * grid[1] * grid[2];
  const operations = flops / savingOf(choice?.variant ?? '');
  return {
    invocations,
    operations: operations / invocations,
    wordBytes: bytes.reduce((a, b) => a + b, 0),
    loads: operations * loadsPerOperation(body, bindings.filter(({ access }) => access === 'read').map(({ name }) => name)),
    divisions: [...body.matchAll(/ [/%] /g)].length,
    functions: [...new Set([...body.matchAll(/\b(pow|exp|log|exp2|log2|tanh|sqrt|inverseSqrt)\(/g)].map(([, name]) => name!))],
  };
}

/** How many operations of the direct method stand for one of the kernel: F(m, r) multiplies m + r - 1 times for m r (Winograd). */
function savingOf(variant: string): number {
  const [, m1, m2, r1, r2] = /winograd (\d+)x(\d+), (\d+)x(\d+)/.exec(variant)?.map(Number) ?? [];
  return m1 && m2 && r1 && r2 ? (m1 * m2 * r1 * r2) / ((m1 + r1 - 1) * (m2 + r2 - 1)) : 1;
}

/** Loads in the text for each operation of its multiply-adds, in kernels that are made of them; one in all others. */
function loadsPerOperation(body: string, sources: readonly string[]): number {
  const fused = [...body.matchAll(/\bfma\(/g)].length;
  if (fused === 0) return 1;
  const lanes = /vec4(f|<f32>)\(/.test(body) ? 4 : 1;
  const operands = sources.filter((name) => !/^(sizes|bias)$/.test(name));
  const loads = operands.reduce((sum, name) => sum + [...body.matchAll(new RegExp(`\\b${name}\\[`, 'g'))].length, 0);
  return Math.min(1, loads / (2 * fused * lanes));
}

interface Cause {
  readonly ms: number;
  readonly text: string;
}

/** A sentence for a person. */
export function shortfall(facts: KernelFacts, cost: Cost, timeMs: number, ceilings: Ceilings): string {
  const accessMs = (bytes: number): number => (bytes * 1e3) / ceilings.wordBytesPerSecond;
  const enough = 2 * ceilings.halfInvocations;
  const work = cost.limitMs - cost.dispatchMs;
  const causes: Cause[] = [
    { ms: facts.invocations < enough && ceilings.sustained >= BUSY ? (work * enough) / facts.invocations : 0, text: `only ${whole(facts.invocations)} invocations, of ${whole(enough)} that fill this device` },
    { ms: accessMs(facts.wordBytes), text: `moves ${size(facts.wordBytes)} by 4 bytes at once` },
    { ms: accessMs(4 * facts.loads), text: `loads ${count(facts.loads)} operands for ${count(cost.flops)} operations` },
    { ms: cost.dispatchMs, text: 'starting it' },
  ];
  const known = causes.filter(({ ms }) => ms >= timeMs / 5).sort((a, b) => b.ms - a.ms).slice(0, 2);
  const rest = timeMs - Math.max(cost.limitMs, ...known.map(({ ms }) => ms));
  return [
    ...known.map(({ ms, text }) => `${text}: ${duration(Math.min(ms, timeMs))} alone`),
    ...(rest > timeMs * 0.4 ? [unexplained(facts, rest, ceilings)] : []),
  ].join('; ');
}

/** What is left, and what in the text may be the cause that has no ceiling of its own. */
function unexplained({ divisions, functions, operations }: KernelFacts, ms: number, { sustained }: Ceilings): string {
  if (sustained < BUSY) return `other programs left it ${Math.round(100 * sustained)} % of the device`;
  const matters = (times: number): boolean => times > 0 && times * DEAR > operations;
  const hints = [
    ...(matters(functions.length) ? [`${functions.join(', ')}, each counted as one operation`] : []),
    ...(matters(divisions) ? [divisions === 1 ? 'a division of whole numbers' : `${divisions} divisions of whole numbers`] : []),
  ];
  return hints.length > 0 ? `${duration(ms)} are not in any ceiling: ${hints.join('; ')} in each invocation` : `${duration(ms)} are not explained`;
}

const whole = (value: number): string => value.toLocaleString('en');
const duration = (ms: number): string => (ms >= 1 ? `${Number(ms.toPrecision(2))} ms` : `${Number((ms * 1e3).toPrecision(2))} us`);
const size = (bytes: number): string => (bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 10).toFixed(1)} KiB`);
const count = (value: number): string => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : whole(Math.round(value)));
