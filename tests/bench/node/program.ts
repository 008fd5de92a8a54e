/** The packed program: starts itself once more where the GPU driver needs it, runs the rows, prints the table, writes the report. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { closeNodeGpu, openNodeGpu } from '../../../src/node/host.ts';
import { findVulkan, isApplied } from '../../../src/node/vulkan.ts';
import { bench } from './bench.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { chooseRows, ROWS } from './rows.ts';
import { formatReport } from './table.ts';

/** Set in the second process, so that there is never a third. */
const RESTARTED = 'UNITSCOPE_RESTARTED';

/** The dynamic linker reads LD_LIBRARY_PATH only as a process starts. */
function restart(environment: Readonly<Record<string, string>>): number {
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, ...environment, [RESTARTED]: '1' },
  });
  return status ?? 1;
}

async function run({ only, samples, json, tune }: Options): Promise<number> {
  const rows = chooseRows(only);
  if (rows.length === 0) throw new Error('no row matches; --list shows them');
  const report = await bench(await openNodeGpu(), rows, { samples, tune }, (line, done) => {
    if (done) process.stderr.write(`done: ${line}${done.timing.fault ? `: ${done.timing.fault}` : ''}\n`);
    else process.stderr.write(`${line}\n`);
  });
  closeNodeGpu();
  writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  console.log(`${formatReport(report)}\n\n${json}`);
  return report.rows.some(({ timing }) => timing.samples.length === 0) ? 1 : 0;
}

async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.list) {
    console.log(ROWS.map(({ title }) => title).join('\n'));
    return 0;
  }
  const choice = process.env[RESTARTED] ? undefined : findVulkan();
  if (choice && !isApplied(choice)) return restart(choice.environment);
  try {
    return await run(options);
  } catch (error) {
    console.error((error as Error).message);
    const looked = findVulkan().looked.map(({ path, verdict }) => `  ${path}: ${verdict}`);
    if ((error as { code?: string }).code === 'no-adapter') console.error(['looked at:', ...looked].join('\n'));
    return 1;
  }
}

// Dawn's threads can hold a process that has nothing left to do.
process.exit(await main(process.argv.slice(2)));
