/**
 * Ends the output with `N passed, N failed`. What did not run did not pass: skipped tests, files that
 * do not load and errors outside of any test count as failed, and fail the run.
 */
import { writeSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The parts of a test module that are counted. */
export interface CountedModule {
  readonly tests: readonly ('passed' | 'failed' | 'skipped' | 'pending')[];
  /** Errors of the file or of a suite's hooks, outside of its tests. */
  readonly errors: number;
}

export function tally(modules: readonly CountedModule[], looseErrors: number): Tally {
  const states = modules.flatMap(({ tests }) => tests);
  const passed = states.filter((state) => state === 'passed').length;
  const broken = modules.reduce((sum, { errors }) => sum + errors, 0) + looseErrors;
  const failed = states.length - passed + broken;
  return { passed, failed: passed + failed === 0 ? 1 : failed };
}

function counted(module: TestModule): CountedModule {
  const suites = [...module.children.allSuites()];
  return {
    tests: [...module.children.allTests()].map((test) => test.result().state),
    errors: [module, ...suites].reduce((sum, part) => sum + part.errors().length, 0),
  };
}

export default class LastLine implements Reporter {
  private result: Tally = { passed: 0, failed: 1 };

  onInit(): void {
    process.once('exit', (code) => {
      if (this.result.failed > 0 && code === 0) process.exitCode = 1;
      writeSync(1, `${this.result.passed} passed, ${this.result.failed} failed\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.result = tally(modules.map(counted), errors.length);
  }
}
