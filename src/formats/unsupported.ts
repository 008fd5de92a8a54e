/** Everything that a file asks for and that is not there, in one error. */
import { UnitscopeError } from '../errors.ts';

/** Most reasons that are shown. */
const SHOWN = 100;

export function unsupported(reasons: readonly string[], file: string): UnitscopeError {
  const shown = reasons.slice(0, SHOWN).map((reason) => `\n  - ${reason}`).join('');
  const rest = reasons.length > SHOWN ? `\n  - and ${reasons.length - SHOWN} more` : '';
  const title = reasons.length === 1 ? 'one thing in the model is' : `${reasons.length} things in the model are`;
  return new UnitscopeError('model-unsupported', `${title} not supported:${shown}${rest}`, { file });
}
