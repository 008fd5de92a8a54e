/** One node of the graph at a time: constants are worked out, everything else becomes layers. */
import { UnitscopeError } from '../../errors.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { MissingFileError } from './external.ts';
import { evaluators } from './folding/index.ts';
import { mappings } from './mapping/index.ts';
import type { OnnxNode } from './model.ts';
import { NodeTranslation } from './translation.ts';
import type { Scope } from './value.ts';

/** Adds the layers of one node; returns the reasons why it cannot. */
export function translate(node: OnnxNode, name: string, scope: Scope): string[] {
  const t = new NodeTranslation(node, name, scope);
  const missing = node.inputs.find((input) => input !== '' && !scope.values.has(input));
  if (missing !== undefined) {
    const message = `layer ${quote(name)} reads ${quote(missing)}, which nothing makes`;
    const address = { file: scope.file, layer: name, op: node.op };
    throw new UnitscopeError('model-invalid', message, address, didYouMean(missing, [...scope.values.keys()]));
  }
  const made = node.outputs.find((output) => scope.values.has(output));
  if (made !== undefined) throw t.invalid(`makes the tensor ${quote(made)}, which is there already`);
  const reasons: string[] = [];
  try {
    if (node.domain !== '') throw t.refuse(`ops of the domain ${quote(node.domain)} are not supported`);
    if (scope.opset < 6) t.attributes.ignore('consumed_inputs'); // a memory hint of the first versions
    become(t);
    reasons.push(...t.attributes.unread().map((attribute) => t.refuse(`attribute ${quote(attribute)} is not supported`).message));
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    // A missing file is told once, with all the others.
    if (error instanceof MissingFileError) return [];
    if (error.code === 'model-unsupported') reasons.push(error.message);
    // Behind an unsupported layer shapes are guesses; what they contradict says nothing about the file.
    else if (!t.guessed) throw error;
  } finally {
    t.guess();
  }
  return reasons;
}

/** A constant where all operands are constants, else layers. */
function become(t: NodeTranslation): void {
  const { op } = t.node;
  const evaluate = evaluators.get(op);
  const mapping = mappings.get(op);
  if (!evaluate && !mapping) throw t.refuse('this op is not supported');
  const computed = t.node.inputs.findIndex((_, index) => t.operand(index) && !t.operand(index)!.constant);
  if (evaluate && (computed < 0 || op === 'Shape' || op === 'Size')) {
    const [stated, grown] = t.forBothBatches(() => evaluate(t));
    if (!grown) t.noteBatch('what it computes');
    t.fold(stated, grown);
  } else if (mapping) mapping(t);
  else throw t.refuseShape(`operand ${computed + 1} (${quote(t.node.inputs[computed]!)}) must be a constant, but the network computes it`);
}

/** The node's name where it is there and unique, else the name of its first output. */
export function layerNames(nodes: readonly OnnxNode[]): Map<OnnxNode, string> {
  const counts = new Map<string, number>();
  for (const { name } of nodes) counts.set(name, (counts.get(name) ?? 0) + 1);
  const taken = new Set(nodes.map(({ name }) => name).filter((name) => counts.get(name) === 1));
  const tried = new Map<string, number>(); // per name the last number given, so that many equal names stay quick
  return new Map(
    nodes.map((node) => {
      if (node.name !== '' && counts.get(node.name) === 1) return [node, node.name];
      const wanted = node.outputs[0] || node.name || 'layer';
      let name = wanted;
      for (let count = tried.get(wanted) ?? 2; taken.has(name); count++) {
        name = `${wanted}#${count}`;
        tried.set(wanted, count + 1);
      }
      taken.add(name);
      return [node, name];
    }),
  );
}
