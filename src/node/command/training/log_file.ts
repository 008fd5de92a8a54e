/** The log of a training, twice: `log.jsonl` for programs, `log.txt` for people. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { haltLine, headLine, heldOutLine, readTrainingLog, stepLine, type LoggedStep, type LoggedTraining } from '../../../formats/training/log.ts';
import { ioFault, kindOf, readBytes, writeWhole } from '../files.ts';
import { measured } from '../quantity.ts';

const DATA = 'log.jsonl';
const TEXT = 'log.txt';

export interface Head {
  readonly name: string;
  readonly labels: readonly string[];
  readonly batch: number;
  readonly steps: number;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export class TrainingLogFile {
  readonly steps: LoggedStep[];
  halt: LoggedTraining['halt'];
  heldOut: LoggedTraining['heldOut'];

  private constructor(
    private readonly out: string,
    private readonly head: Head,
    before: readonly LoggedStep[],
  ) {
    this.steps = [...before];
  }

  /** @param until the steps that were done; lines of later ones, written before a crash, are dropped */
  static async open(out: string, head: Head, until: number): Promise<TrainingLogFile> {
    const path = join(out, DATA);
    const begun = until > 0 && (await kindOf(path)) === 'file';
    const before = begun ? readTrainingLog(new TextDecoder().decode(await readBytes(path)), path).steps.filter(({ step }) => step <= until) : [];
    const log = new TrainingLogFile(out, head, before);
    await writeWhole(path, encode([headLine(head), ...before.map(stepLine)].map((line) => `${line}\n`).join('')));
    await writeWhole(join(out, TEXT), encode([headText(head), ...before.map(stepText)].map((line) => `${line}\n`).join('')));
    return log;
  }

  async addStep(step: LoggedStep): Promise<void> {
    this.steps.push(step);
    await this.append(stepLine(step), stepText(step));
  }

  async addHalt(halt: NonNullable<LoggedTraining['halt']>): Promise<void> {
    this.halt = halt;
    await this.append(haltLine(halt), `stopped: numbers are not finite at step ${halt.step}${halt.layer === undefined ? '' : `, first in the ${halt.what} of ${halt.layer}`}`);
  }

  async addHeldOut(step: number, heldOut: NonNullable<LoggedTraining['heldOut']>): Promise<void> {
    this.heldOut = heldOut;
    await this.append(heldOutLine(step, heldOut), `held-out pictures after step ${step}: ${percent(heldOut.accuracy)} right`);
  }

  async addText(text: string): Promise<void> {
    await this.add(TEXT, text);
  }

  get content(): LoggedTraining {
    const { head, steps, halt, heldOut } = this;
    return { name: head.name, labels: head.labels, steps, ...(halt && { halt }), ...(heldOut && { heldOut }) };
  }

  private async append(data: string, text: string): Promise<void> {
    await this.add(DATA, data);
    await this.add(TEXT, text);
  }

  private async add(name: string, line: string): Promise<void> {
    const path = join(this.out, name);
    try {
      await appendFile(path, `${line}\n`);
    } catch (cause) {
      throw ioFault('write', path, cause);
    }
  }
}

const headText = ({ name, labels, batch, steps }: Head): string => `${name}: ${labels.length} classes (${labels.join(', ')}), ${steps} steps of ${batch} pictures`;

function stepText({ step, loss, accuracy, rate, distance, imagesPerSecond, layers }: LoggedStep): string {
  const head = `step ${step}  loss ${loss.toFixed(4)}  right ${percent(accuracy)}  rate ${measured(rate)}${distance === undefined ? '' : `  moved by ${measured(distance)}`}  ${measured(imagesPerSecond)} pictures/s`;
  const rows = [...layers].map(([name, { gradient, change, zeros, dead, units }]) => {
    const silent = units === undefined ? '' : `, zeros ${percent(zeros!)}, dead ${dead} of ${units}`;
    return `    ${name}: |gradient| ${measured(gradient)}, |dW|/|W| ${measured(change)}${silent}`;
  });
  return [head, ...rows].join('\n');
}
