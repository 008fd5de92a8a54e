/** Builds the program into one file. */
import { join } from 'node:path';
import { build } from 'vite';

export const PROGRAM = 'bench.mjs';

/** @param standalone with the package `webgpu` inside: the file then loads `dist/<platform>/dawn.node` beside itself */
export async function bundle(folder: string, standalone: boolean): Promise<void> {
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'error',
    ssr: { noExternal: true, ...(!standalone && { external: ['webgpu'] }) },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      ssr: true,
      minify: false,
      rolldownOptions: { input: join(import.meta.dirname, 'program.ts'), output: { entryFileNames: PROGRAM, codeSplitting: false } },
    },
  });
}
