// Node 20 does not read TypeScript: vite loads command.ts and what it imports.
import { join } from 'node:path';
import { runnerImport } from 'vite';

const { module } = await runnerImport(join(import.meta.dirname, 'command.ts'), { configFile: false, logLevel: 'error' });
process.exitCode = await module.main(process.argv.slice(2));
