#!/usr/bin/env node
/** The command line: starts itself once more where the GPU driver needs it, then runs one command. As a thread of its own it lays points out. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isMainThread, workerData } from 'node:worker_threads';
import { version } from '../../package.json';
import { EXIT } from './command/command.ts';
import { commands } from './command/index.ts';
import { main, needsGpu } from './command/main.ts';
import { serveEmbedding, type EmbeddingPort } from '../index.ts';
import type { ThreadData } from './embedding_thread.ts';
import { closeNodeGpu } from './host.ts';
import { findVulkan, isApplied } from './vulkan.ts';

/** Set in the second process, so that there is never a third. */
const RESTARTED = 'UNITSCOPE_RESTARTED';

/** How long a process may stay after its last output: Dawn's threads can hold it. */
const PATIENCE = 500; // ms

/** Two signals within this time are one request to stop. */
const SAME_REQUEST = 200; // ms

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const words = process.argv.slice(2);
const choice = isMainThread && needsGpu(words, commands) && !process.env[RESTARTED] ? findVulkan() : undefined;

if (!isMainThread) serveEmbedding((workerData as ThreadData).port as unknown as EmbeddingPort);
else if (choice && !isApplied(choice)) restart(choice.environment);
else await run();

/** The dynamic linker has read LD_LIBRARY_PATH already: only a new process can use another one. */
function restart(environment: Readonly<Record<string, string>>): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // the channel tells the child when this process is gone
    env: { ...process.env, ...environment, [RESTARTED]: '1' },
  });
  for (const signal of STOP_SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`cannot start ${process.execPath}: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
  });
}

async function run(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`| head`) is no failure.
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
  });
  process.exitCode = await main(words, commands, {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    signal: stopSignal(),
    version,
  });
  closeNodeGpu();
  setTimeout(() => process.exit(), PATIENCE).unref();
}

/** Aborts when the user asks to stop; a second request ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let asked = -Infinity;
  const stop = () => {
    // A terminal sends Ctrl-C to this process and to the one that started it, which passes it on.
    if (performance.now() - asked < SAME_REQUEST) return;
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    asked = performance.now();
    controller.abort();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  process.on('disconnect', () => process.exit(EXIT.interrupted));
  process.channel?.unref();
  return controller.signal;
}
