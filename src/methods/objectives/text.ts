/**
 * Objectives as a person writes them: `conv3:12`, `channel conv3:12 + 0.5*conv4`, `direction conv3 vector.npy - conv2:3`.
 *   objective := ['-'] term (('+' | '-') term)*
 *   term      := [NUMBER '*'] (LAYER | LAYER:CHANNEL[@Y,X] | word[^POWER] operand...)
 * Signs between terms stand alone, with blanks around them: names of layers may hold them. Names with blanks stand in quotes.
 */
import { UnitscopeError } from '../../errors.ts';
import type { Network } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { WORDINGS } from './index.ts';
import type { Objective } from './objective.ts';
import { sumOf, weighted } from './sum.ts';
import type { Wording, Words } from './wording.ts';

interface Token {
  readonly kind: 'sign' | 'factor' | 'word';
  readonly text: string;
  /** It has no quotes: it may be a word of the language. */
  readonly bare: boolean;
  /** Characters before it. */
  readonly at: number;
}

const LONGEST = 4096; // characters
const MOST_TERMS = 32;

const HINT = `write ${WORDINGS.map(({ form }) => form).join('; ')}; weights as 0.5*..., with + and - between blanks`;

function fault(message: string, at: number): UnitscopeError {
  return new UnitscopeError('usage', `the objective has ${message} at character ${at + 1}`, {}, HINT);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  for (;;) {
    take(/\s*/y);
    const start = at;
    if (start === text.length) return tokens;
    const factor = take(/[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*\*/iy);
    if (factor !== undefined) {
      tokens.push({ kind: 'factor', text: factor.slice(0, -1), bare: true, at: start });
      continue;
    }
    const raw = take(/(?:'[^']*'|"[^"]*"|[^\s'"])+/y);
    if (raw === undefined || /['"]/.test(text[at] ?? '')) throw fault(`an open ${text[at]}`, at);
    const word = raw.replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? '');
    tokens.push({ kind: raw === '+' || raw === '-' ? 'sign' : 'word', text: word, bare: word === raw, at: start });
  }
}

/**
 * Reads an objective.
 * @param vector gives the numbers of a file that the text names
 * @throws usage with the character where it goes wrong; unknown-layer with the nearest names; what `vector` throws
 */
export async function parseObjective(network: Network, text: string, vector: Words['vector'] = refuseFiles): Promise<Objective> {
  if (text.length > LONGEST) throw new UnitscopeError('usage', `the objective is longer than ${LONGEST} characters`);
  const tokens = tokensOf(text);
  const terms: Objective[] = [];
  let next = 0;
  do {
    const sign = tokens[next]?.kind === 'sign' && (next > 0 || tokens[next]!.text === '-') ? tokens[next++]!.text : '+';
    const end = tokens.findIndex(({ kind }, index) => index >= next && kind === 'sign');
    const own = tokens.slice(next, end < 0 ? tokens.length : end);
    next += own.length;
    terms.push(weighted(sign === '-' ? -1 : 1, await readTerm(network, own, tokens[next]?.at ?? text.length, vector)));
    if (terms.length > MOST_TERMS) throw new UnitscopeError('usage', `an objective has at most ${MOST_TERMS} terms`);
  } while (next < tokens.length);
  return sumOf(...terms);
}

/** @param end the character behind the term */
async function readTerm(network: Network, tokens: readonly Token[], end: number, vector: Words['vector']): Promise<Objective> {
  const [first, ...rest] = tokens;
  if (!first) throw fault('nothing to climb', end);
  if (first.kind === 'factor') {
    if (rest[0]?.kind === 'factor') throw fault('a second factor', rest[0].at);
    return weighted(Number(first.text), await readTerm(network, rest, end, vector));
  }
  const named = wordingOf(first, rest.length);
  const wording = named?.wording ?? plainWording(network, first);
  const operands = named ? rest : tokens;
  const odd = operands.find(({ kind }, index) => kind !== 'word' || index >= wording.operands);
  if (odd) throw fault(`${quote(odd.text)} where + or - is expected`, odd.at);
  if (operands.length < wording.operands) throw fault(`too little behind ${quote(first.text)} (${wording.form})`, end);
  try {
    return await wording.read({ network, operands: operands.map((token) => token.text), power: named?.power ?? 0, vector });
  } catch (error) {
    if (!(error instanceof UnitscopeError) || !['usage', 'unknown-layer'].includes(error.code)) throw error;
    throw new UnitscopeError(error.code, `${error.message} (objective, character ${operands[0]!.at + 1})`, error.address, error.hint, { cause: error });
  }
}

/** The kind of objective whose word stands first; a word that stands alone is the name of a layer. */
function wordingOf({ text, bare, at }: Token, behind: number): { wording: Wording; power: number } | undefined {
  const [, word, power] = /^([a-z]+)(?:\^(.*))?$/.exec(text) ?? [];
  const wording = bare ? WORDINGS.find((one) => one.word === word) : undefined;
  if (!wording || (behind === 0 && power === undefined)) return undefined;
  if (power !== undefined && !(wording.power && /^\d+(\.\d+)?$/.test(power))) throw fault(`an exponent ${quote(power)} that cannot be`, at);
  return { wording, power: Number(power ?? 0) };
}

/** A unit where a colon and a number end the name, unless a layer has that whole name; else a layer. */
function plainWording(network: Network, { text }: Token): Wording {
  const layer = network.nodes.some(({ name, output }) => name === text || output === text);
  const unit = !layer && /:\d+(@\d+,\d+)?$/.test(text);
  return WORDINGS.find(({ word }) => word === (unit ? 'unit' : 'layer'))!;
}

function refuseFiles(file: string): Promise<Float32Array> {
  return Promise.reject(new UnitscopeError('usage', `no file can be read here, the objective names ${quote(file)}`));
}
