/** The text and the data of `plan --explain`. */
import type { ExplainedStep, Explanation } from '../../index.ts';
import { describeCeilings } from './bench.ts';
import { table } from './help.ts';
import { milliseconds } from './quantity.ts';

/** The kernel that was chosen: the variant where an op has several. */
const kernelOf = ({ step }: ExplainedStep): string => (step.choice ? `${step.kernel} ${step.choice.variant}` : step.kernel);

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Facts for programs: one entry a step, in the order in which the steps run. */
export function explanationData(explanation: Explanation) {
  const { ceilings, steps, passes, total, runMs } = explanation;
  return {
    ceilings,
    steps: steps.map(({ step, cost, bound, timeMs, share, device, reason }) => ({
      pass: step.pass, label: step.label, kernel: step.kernel, ...step.choice, ...cost, bound, timeMs, share, device, ...(reason !== undefined && { reason }),
    })),
    passes: passes.map(({ pass, cost, timeMs }) => ({ pass, ...cost, timeMs, share: cost.limitMs / timeMs })),
    total: { ...total.cost, timeMs: total.timeMs, share: total.cost.limitMs / total.timeMs, runMs },
  };
}

/** Where other programs use the device too, times say less of the kernels. */
function busyLine(steps: readonly ExplainedStep[]): string[] {
  const shares = steps.map(({ device }) => device).sort((a, b) => a - b);
  const median = shares[Math.floor(shares.length / 2)] ?? 1;
  return median < 0.7 ? [`  other programs used this device: beside half of the steps they left ${percent(median)} of it or less`] : [];
}

/** A table of the steps; under a step, why its kernel was chosen, and why it is slow where it is. */
export function describeExplanation(explanation: Explanation, adapter: string): string[] {
  const { ceilings, steps, passes, total, runMs } = explanation;
  const rows = steps.map((one) => [one.step.label, kernelOf(one), milliseconds(one.cost.limitMs), milliseconds(one.timeMs), percent(one.share), one.bound]);
  const [head, ...lines] = table([['step', 'kernel', 'limit', 'takes', 'share', 'bound by'], ...rows], [2, 3, 4]);
  const body = lines.flatMap((line, index) => {
    const { step, reason } = steps[index]!;
    return [line, ...(step.choice ? [`      chosen: ${step.choice.why}`] : []), ...(reason === undefined ? [] : [`      slow: ${reason}`])];
  });
  const sums = [...passes, ...(passes.length > 1 ? [total] : [])].map(({ pass, cost, timeMs }) => [
    pass, milliseconds(cost.limitMs), milliseconds(timeMs), percent(cost.limitMs / timeMs),
  ]);
  return [
    `on ${adapter}`,
    ...describeCeilings(ceilings),
    '',
    head!,
    ...body,
    '',
    ...table([['', 'limit', 'takes', 'share'], ...sums], [1, 2, 3]),
    `  in one submission ${milliseconds(runMs)}`,
    ...busyLine(steps),
    '  limit: arithmetic of the direct method or each tensor once, whichever takes longer at the ceilings, and a dispatch;',
    '  a share above 100 % means that a kernel multiplies less than that, or that its tensors come from a cache',
  ];
}
