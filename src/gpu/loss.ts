/** Being told of a lost device while nothing is running. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from './engine.ts';

/** Resolves when the engine's device is lost against its will; stays pending when it is disposed of. */
export function deviceLoss(engine: Engine): Promise<UnitscopeError> {
  return new Promise((resolve) => {
    void engine.device.lost.then((info) => {
      if (info.reason === 'destroyed') return;
      const message = `the GPU device was lost: ${info.message || 'the GPU process ended'}`;
      resolve(new UnitscopeError('device-lost', message, {}, 'reload the page; if it happens again, update the graphics driver'));
    });
  });
}
