import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildEnvironmentOptions, Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { findVulkan } from './src/node/vulkan.ts';
import LongFirst from './tests/order.ts';

const here = import.meta.dirname;

/** What the built viewer may do: run its own code and talk to its own origin. */
const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "connect-src 'self' blob:",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

const viewer: BuildEnvironmentOptions = {
  outDir: join(here, 'dist/viewer'),
  emptyOutDir: true,
  target: 'es2023',
  // Never a data: URL: the viewer's content policy lets it fetch from its own origin only.
  assetsInlineLimit: 0,
  // One file of half a megabyte, from the user's own machine: nothing is gained by splitting it.
  chunkSizeWarningLimit: 1000,
};

/** Packages that are native or carry large files: they stay packages, all others go into the file. */
const NATIVE = ['webgpu', 'sharp', '@sparticuz/chromium', 'puppeteer'];

/** The command line as one file. */
const node: BuildEnvironmentOptions = {
  outDir: join(here, 'dist/node'),
  emptyOutDir: true,
  target: 'node20',
  ssr: true,
  minify: false,
  rolldownOptions: {
    input: join(here, 'src/node/unitscope.ts'),
    output: { entryFileNames: 'unitscope.js', codeSplitting: false },
  },
};

/** Lays the embedded network beside the built command line, so that an installed one has it too. */
const embedded: Plugin = {
  name: 'embedded-network',
  generateBundle() {
    for (const file of ['network.json', 'weights.safetensors']) {
      this.emitFile({ type: 'asset', fileName: `embedded/${file}`, source: readFileSync(join(here, 'models/embedded', file)) });
    }
  },
};

/** Tests that share a process. */
const PARTS = ['tests/{ops,formats,network,image}/**/*.test.ts', 'tests/scheduler/!(*memory).test.ts'];

export default defineConfig(({ command, mode }) => {
  // Tests run in forks that inherit this environment; the linker reads LD_LIBRARY_PATH as they start.
  if (process.env.VITEST) Object.assign(process.env, findVulkan().environment);
  return {
    root: join(here, 'viewer'),
    base: command === 'build' ? './' : '/',
    publicDir: false,
    build: mode === 'node' ? node : viewer,
    ...(mode === 'node' && { plugins: [embedded], ssr: { noExternal: true as const, external: NATIVE } }),
    server: { host: '127.0.0.1', fs: { allow: [here] } },
    preview: { host: '127.0.0.1', headers },
    test: {
      root: here,
      globalSetup: 'tests/build.ts',
      setupFiles: 'tests/polling.ts',
      reporters: ['default', './tests/reporter.ts'],
      pool: 'forks',
      maxWorkers: 2,
      sequence: { sequencer: LongFirst },
      testTimeout: 120_000,
      hookTimeout: 120_000,
      projects: [
        // A fork for one file after another, as nothing but modules outlives them: that saves loading these a hundred times.
        { extends: true, test: { name: 'parts', include: PARTS, isolate: false } },
        // A fork for each: they measure memory or time, change the environment, or start browsers.
        { extends: true, test: { name: 'whole', include: ['tests/**/*.test.ts'], exclude: PARTS, env: { FUZZ_RUNS: mode === 'fuzz' ? '10000' : '300' } } },
      ],
    },
  };
});
