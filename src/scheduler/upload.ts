/**
 * Brings a plan's constants to the GPU, in the order in which the steps need them. One is packed at a time and dropped
 * once it is on its way, and the host's other work has its turn in between: a page stays alive, the heap small.
 */
import type { Engine } from '../gpu/engine.ts';
import type { Content, Plan, PlannedConstant } from './plan.ts';

/** Bytes written to the queue at once. */
const SLICE = 4 * 2 ** 20;
/** Milliseconds of packing and writing without a pause: half a frame. */
const STRETCH_MS = 8;

/** The constants of one buffer. */
export interface Shipment {
  readonly buffer: number;
  readonly constants: readonly PlannedConstant[];
}

/** Shipments in the order of the first step that reads from them. */
export function shipments(plan: Plan): Shipment[] {
  const byBuffer = new Map<number, PlannedConstant[]>();
  for (const constant of plan.constants) {
    const { buffer } = plan.tensors[constant.tensor]!;
    if (buffer >= 0) byBuffer.set(buffer, [...(byBuffer.get(buffer) ?? []), constant]);
  }
  const read = [...plan.passes.values()].flat().flatMap(({ tensors }) => Object.values(tensors).map((id) => plan.tensors[id]!.buffer));
  const order = new Set(read.filter((buffer) => byBuffer.has(buffer)));
  return [...order].map((buffer) => ({ buffer, constants: byBuffer.get(buffer)! }));
}

/**
 * Uploads shipments one after another; `arrived` is told of each.
 * @param going asked after every pause: once it is false, nothing more is written
 * @throws device-lost
 */
export async function upload(engine: Engine, plan: Plan, buffers: readonly GPUBuffer[], arrived: (shipment: Shipment) => void, going: () => boolean): Promise<void> {
  let resumed = performance.now();
  const pause = async (): Promise<boolean> => {
    if (performance.now() - resumed >= STRETCH_MS) {
      await othersTurn();
      engine.check();
      resumed = performance.now();
    }
    return going();
  };
  for (const shipment of shipments(plan)) {
    for (const { offset, content } of contents(plan, shipment)) {
      let at = offset;
      for (const part of parts(content)) {
        for (const slice of slices(part)) {
          if (!(await pause())) return;
          engine.device.queue.writeBuffer(buffers[shipment.buffer]!, at, slice);
          at += slice.byteLength;
        }
      }
    }
    arrived(shipment);
  }
}

/** Small constants that share a buffer are put together first: one write for all. */
function* contents(plan: Plan, { constants }: Shipment): Iterable<{ offset: number; content: Content }> {
  const placed = constants.map(({ tensor, make }) => ({ ...plan.tensors[tensor]!, make }));
  if (placed.length === 1) {
    yield { offset: placed[0]!.offset, content: placed[0]!.make() };
    return;
  }
  const together = new Uint8Array(Math.max(...placed.map(({ offset, bytes }) => offset + bytes)));
  for (const { offset, make } of placed) {
    let at = offset;
    for (const part of parts(make())) {
      together.set(bytesOf(part), at);
      at += part.byteLength;
    }
  }
  yield { offset: 0, content: new Uint32Array(together.buffer) };
}

const parts = (content: Content): Iterable<Float32Array | Uint32Array> => (ArrayBuffer.isView(content) ? [content] : content);

const bytesOf = (data: Float32Array | Uint32Array): Uint8Array<ArrayBuffer> => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

function* slices(data: Float32Array | Uint32Array): Iterable<Uint8Array<ArrayBuffer>> {
  for (let from = 0; from < data.byteLength; from += SLICE) yield bytesOf(data).subarray(from, from + SLICE);
}

/** Lets whatever waits in the event loop run. A timer would do too, but pages in the background are given one a second. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const onmessage = (): void => {
      port1.close();
      resolve();
    };
    // Node's types and the worker's do not agree on how a port is listened to; the setter is there in both.
    Object.assign(port1, { onmessage });
    port2.postMessage(undefined);
  });
}
