/** The benchmark: options, the browser's run, the table on stdout, the report as JSON and as pictures. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { barChart } from './chart/bars.ts';
import { scalingChart } from './chart/scaling.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import type { Job, Report, RowRecord } from './record.ts';
import { chooseRows, ROWS } from './rows.ts';
import { openSite, ROOT, runJob } from './session.ts';
import { alarms, formatTable } from './table.ts';

/** Versions of what is compared, as installed. */
function versions(): Record<string, string> {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const peers = { 'onnxruntime-web': 'onnxruntime-web', tfjs: '@tensorflow/tfjs', 'jax-js': '@jax-js/jax' };
  const versionOf = (name: string) => (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
  return { unitscope: own.version, ...Object.fromEntries(Object.entries(peers).map(([name, folder]) => [name, versionOf(folder)])) };
}

const NO_MACHINE = { adapter: { vendor: '', architecture: '', description: 'none', software: false }, userAgent: '', isolated: false };

/** Runs all rows; a page that dies costs the row that it was at, and a new one goes on behind it. */
export async function bench(options: Options, folder: string, say: (line: string) => void): Promise<Report> {
  const chosen = chooseRows(options);
  const site = await openSite(folder);
  const report = { date: new Date().toISOString(), browser: '', machine: NO_MACHINE as Report['machine'], versions: versions(), options: { ...options } };
  const rows: RowRecord[] = [];
  try {
    while (rows.length < chosen.length) {
      const job: Job = { titles: chosen.slice(rows.length).map(({ title }) => title), peers: options.peers, samples: options.samples };
      let current = '';
      const result = await runJob(site, job, (now, done) => {
        for (const { title } of done) say(`done: ${title}`);
        if (now !== current) say((current = now));
      });
      rows.push(...result.rows);
      report.browser = result.browser;
      report.machine = result.machine ?? report.machine;
      if (result.fault === undefined) continue;
      const lost = chosen[rows.length];
      if (!result.machine || !lost) throw new Error(result.fault);
      const culprit = [...options.peers].find((name) => current.endsWith(`: ${name}`)) ?? 'unitscope';
      rows.push({ title: lost.title, kind: lost.kind, batch: lost.batch, flops: 0, timings: [{ contender: culprit, samples: [], repeat: 1, fault: result.fault }] });
    }
  } finally {
    site.close();
  }
  return { ...report, rows };
}

/** Writes the report, and its pictures beside it; returns the files. */
function save(report: Report, peers: Options['peers'], json: string): string[] {
  const contenders = ['unitscope', ...peers] as const;
  const stem = json.replace(/\.json$/, '');
  const plain = report.rows.filter(({ size }) => size === undefined);
  const files: (readonly [path: string, content: string | undefined])[] = [
    [json, `${JSON.stringify(report, null, 2)}\n`],
    [`${stem}.svg`, plain.length > 0 ? barChart({ ...report, rows: plain }, contenders) : undefined],
    [`${stem}.scaling.svg`, scalingChart(report, contenders)],
  ];
  mkdirSync(dirname(json), { recursive: true });
  return files.flatMap(([path, content]) => {
    if (content === undefined) rmSync(path, { force: true }); // of an earlier run
    else writeFileSync(path, content);
    return content === undefined ? [] : [path];
  });
}

/** The process's exit code: 1 where ours failed or a result disagrees. */
export async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args);
    if (chooseRows(options).length === 0) throw new Error(`no row matches; the rows are:\n${ROWS.map(({ title }) => title).join('\n')}`);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const report = await bench(options, join(ROOT, 'dist/bench/page'), (line) => process.stderr.write(`${line}\n`));
  const json = resolve(ROOT, options.json);
  console.log(formatTable(report, options.peers));
  console.log(`\n${save(report, options.peers, json).join('\n')}`);
  const wrong = alarms(report.rows);
  for (const text of wrong) console.error(`FAILED ${text}`);
  return wrong.length > 0 ? 1 : 0;
}
