/** The report as text: one line a row. */
import { align, number } from '../table.ts';
import { summarize } from '../statistics.ts';
import type { ServerReport, ServerRow } from './report.ts';

function cells({ title, batch, flops, timing }: ServerRow, ceiling: number | undefined): string[] {
  const { samples, first, compile, kernels, fault } = timing;
  if (samples.length === 0) return [title, 'FAILED', fault ?? 'no samples'];
  const { median, least, most } = summarize(samples);
  const perSecond = flops / (median / 1e3);
  return [
    title,
    number(median),
    `${number(least)}..${number(most)}`,
    number(median / batch),
    flops > 0 ? number(perSecond / 1e9) : '',
    ceiling && flops > 0 ? `${Math.round((100 * perSecond) / ceiling)} %` : '',
    first === undefined ? '' : number(first),
    compile === undefined ? '' : number(compile),
    kernels === undefined ? '' : String(kernels),
  ];
}

export function formatReport(report: ServerReport): string {
  const { adapter, software, flopsPerSecond, node, version } = report;
  const ceiling = flopsPerSecond ? `, ${number(flopsPerSecond / 1e9)} GFLOP/s at most on registers` : '';
  const failed = report.rows.filter(({ timing }) => timing.samples.length === 0);
  const head = ['ms', 'median', 'min..max', 'an image', 'GFLOP/s', 'of most', 'first', 'compile', 'kernels'];
  const lines = report.rows.filter((row) => !failed.includes(row)).map((row) => cells(row, flopsPerSecond));
  return [
    `${software ? 'software adapter' : 'adapter'} ${adapter}${ceiling} · Node ${node} · unitscope ${version}`,
    'f32. FLOPs of the direct method: a kernel that needs fewer multiply-adds may be above 100 % of the most.',
    '',
    ...align([head, ...lines]),
    ...failed.map(({ title, timing }) => `FAILED ${title}: ${timing.fault}`),
  ].join('\n');
}
