/** `unitscope diagnose`: what the log of a training shows, in words. */
import { join } from 'node:path';
import { readTrainingLog } from '../../formats/training/log.ts';
import type { Command, Report } from './command.ts';
import { isFolder, readBytes } from './files.ts';
import { counted } from './quantity.ts';
import { findingLines, findingsOf } from './training/findings.ts';

export const diagnose: Command = {
  name: 'diagnose',
  summary: 'say in words what went wrong in a training, from its log',
  operands: ['FOLDER|LOG.jsonl'],
  options: {},
  examples: [
    ['unitscope diagnose scenes/', 'the training in a folder'],
    ['unitscope diagnose scenes/log.jsonl --json', 'the findings as data'],
  ],
  gpu: false,
  async run(call): Promise<Report> {
    const [given] = call.operands;
    const path = (await isFolder(given)) ? join(given, 'log.jsonl') : given;
    const log = readTrainingLog(new TextDecoder().decode(await readBytes(path)), path);
    const findings = findingsOf(log);
    const last = log.steps.at(-1)?.step ?? 0;
    return {
      data: { training: log.name, steps: last, findings },
      text: [`${log.name}, ${counted(log.steps.length, 'line')} of log up to step ${last}`, ...findingLines(findings)].join('\n'),
    };
  },
};
