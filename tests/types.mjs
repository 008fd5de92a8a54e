/**
 * Checks the types of the files that a tsconfig.json names, and of no others: `tsc` would check those that they import
 * once more for each project.
 *
 *     node tests/types.mjs FOLDER
 */
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (fault) => report([fault]) };

function report(diagnostics) {
  console.log(ts.formatDiagnostics(diagnostics, { getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => '\n' }));
  process.exit(1);
}

const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(join(root, process.argv[2], 'tsconfig.json'), {}, host);
const program = ts.createProgram(fileNames, options);
const diagnostics = [
  ...errors,
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...fileNames.map((name) => program.getSourceFile(name)).flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
];
if (fileNames.length === 0 || diagnostics.length > 0) report(diagnostics);
