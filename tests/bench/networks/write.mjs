// Node 20 does not read TypeScript: vite loads write.ts and what it imports.
import { join } from 'node:path';
import { runnerImport } from 'vite';

const { module } = await runnerImport(join(import.meta.dirname, 'write.ts'), { configFile: false, logLevel: 'error' });
process.exitCode = module.main(process.argv.slice(2));
