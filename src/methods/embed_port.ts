/**
 * `embed` at the other end of a message port: in a worker, so that a page or a command keeps its own thread meanwhile.
 * In a browser: `serveEmbedding(self)` in the worker's module, `embedThrough(new Worker(...), points, settings)` in the page.
 */
import type { Points, Step } from '../analysis/points.ts';
import { throwIfAborted, UnitscopeError, type ErrorAddress, type ErrorCode } from '../errors.ts';
import { embed, type EmbedSettings } from './embed.ts';

/** What workers, their global scope and message ports have in common. */
export interface EmbeddingPort {
  postMessage(message: unknown): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
}

/** Numbered, since what was given up may still answer when the next one is under way. */
type Request = { readonly kind: 'embed'; readonly id: number; readonly points: Points; readonly settings: EmbedSettings } | { readonly kind: 'stop' };

/** What comes back: steps, and one of the others in the end. */
export type EmbeddingReply =
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'done' }
  | { readonly kind: 'crash'; readonly message: string }
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly message: string; readonly address?: ErrorAddress; readonly hint?: string };

interface Message {
  /** Absent where it is about the worker itself. */
  readonly id?: number;
  readonly reply: EmbeddingReply;
}

/** What a worker that has come to its end would have said. */
export const lastWord = (reply: EmbeddingReply): unknown => ({ reply }) satisfies Message;

let requests = 0;

/** Does what is asked for through the port, one map at a time. */
export function serveEmbedding(port: EmbeddingPort): void {
  let stop = new AbortController();
  const run = async ({ id, points, settings }: Extract<Request, { kind: 'embed' }>, signal: AbortSignal): Promise<void> => {
    const reply = (said: EmbeddingReply): void => port.postMessage({ id, reply: said } satisfies Message);
    try {
      for await (const step of embed(points, settings, { signal })) reply({ kind: 'step', step });
      reply({ kind: 'done' });
    } catch (error) {
      if (error instanceof UnitscopeError) reply({ kind: 'fault', code: error.code, message: error.message, address: error.address, hint: error.hint });
      else reply({ kind: 'crash', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  port.onmessage = ({ data }) => {
    const request = data as Request;
    stop.abort();
    if (request.kind === 'stop') return;
    stop = new AbortController();
    void run(request, stop.signal);
  };
}

/** The same steps as `embed`, made at the other end. @throws as `embed` does */
export async function* embedThrough(port: EmbeddingPort, points: Points, settings: EmbedSettings, { signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<Step, void, void> {
  throwIfAborted(signal);
  const replies: EmbeddingReply[] = [];
  let wake = (): void => undefined;
  const own = ++requests;
  port.onmessage = ({ data }) => {
    const { id, reply } = data as Message;
    if (id !== undefined && id !== own) return;
    replies.push(reply);
    wake();
  };
  const stop = (): void => port.postMessage({ kind: 'stop' } satisfies Request);
  signal?.addEventListener('abort', stop);
  let over = false;
  try {
    port.postMessage({ kind: 'embed', id: own, points, settings } satisfies Request);
    for (;;) {
      while (replies.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const reply = replies.shift()!;
      over = reply.kind !== 'step';
      if (reply.kind === 'done') return;
      if (reply.kind === 'crash') throw new Error(reply.message);
      if (reply.kind === 'fault') throw new UnitscopeError(reply.code, reply.message, reply.address, reply.hint);
      yield reply.step;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    port.onmessage = null;
    if (!over) stop(); // nobody wants the rest
  }
}
