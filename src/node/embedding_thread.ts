/** A thread of this process that lays points out. */
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { lastWord, type EmbeddingPort, type EmbeddingReply } from '../index.ts';

/** What the thread gets. */
export interface ThreadData {
  readonly port: MessagePort;
}

export type EmbeddingThread = EmbeddingPort & { close(): void };

/** The built program, which a thread can load as it stands; in its sources there is no such file. */
const isProgram = (address: string): boolean => address.endsWith('/unitscope.js');

/** undefined where the program is not built. Close it when the map is there. */
export function openEmbeddingThread(address = import.meta.url): EmbeddingThread | undefined {
  if (!isProgram(address)) return undefined;
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL(address), { workerData: { port: port2 } satisfies ThreadData, transferList: [port2] });
  const thread: EmbeddingThread = {
    onmessage: null,
    postMessage: (message) => port1.postMessage(message),
    close() {
      port1.close();
      void worker.terminate();
    },
  };
  port1.on('message', (data: unknown) => thread.onmessage?.({ data }));
  worker.on('error', (cause: NodeJS.ErrnoException) => {
    const message = `the thread that makes the map ended: ${cause.message}`;
    const reply: EmbeddingReply = cause.code === 'ERR_WORKER_OUT_OF_MEMORY' ? { kind: 'fault', code: 'out-of-memory', message, hint: 'take fewer pictures' } : { kind: 'crash', message };
    thread.onmessage?.({ data: lastWord(reply) });
  });
  return thread;
}
