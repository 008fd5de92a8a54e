/** What a log shows, as sentences and as data. */
import type { LoggedTraining } from '../../../formats/training/log.ts';
import { diagnose, type Finding } from '../../../index.ts';
import { table } from '../help.ts';

export function findingsOf({ labels, steps, halt, heldOut }: LoggedTraining): Finding[] {
  return diagnose({ classes: labels.length, records: steps, halt, heldOut: heldOut && { ...heldOut, labels } });
}

export function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['nothing is wrong that the log would show'];
  return findings.flatMap(({ sentence, advice }) => [sentence, `  ${advice}`]);
}

/** Rows are the true classes, columns the answers; the share that is right stands at the end. */
export function confusionLines(labels: readonly string[], confusion: readonly (readonly number[])[]): string[] {
  const total = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);
  const rows = confusion.map((row, label) => [labels[label], ...row.map(String), total(row) === 0 ? '' : `${Math.round((100 * row[label]) / total(row))} %`]);
  const columns = labels.map((label) => label.slice(0, 6));
  return table([['is / taken for', ...columns, 'right'], ...rows], [...labels.map((_, column) => column + 1), labels.length + 1]);
}
