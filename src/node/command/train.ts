/** `unitscope train`: learns a network from scratch, on the GPU, and says how it went. */
import { dirname, join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { parseTraining } from '../../formats/training/config.ts';
import { draft, evaluate, roundToFloat16, SCENE_CLASSES, Trainer, withoutDropout, type Evaluation, type Network, type TrainingConfig } from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { readBytes, writeWhole } from './files.ts';
import { adapterName, withEngine } from './gpu.ts';
import { openFolder, writeNetwork } from './training/checkpoint.ts';
import { confusionLines, findingLines, findingsOf } from './training/findings.ts';
import { learn, type Course, type Ended } from './training/learn.ts';
import { percent, TrainingLogFile } from './training/log_file.ts';
import { openPictures } from './training/pictures.ts';
import { choiceOf, countOf } from './value.ts';

export const train: Command = {
  name: 'train',
  summary: 'learn a network from scratch, from drawn scenes or a folder of pictures',
  operands: ['TRAINING.json'],
  options: {
    out: { type: 'text', value: 'FOLDER', summary: 'network, checkpoints and log; it is made' },
    resume: { type: 'flag', summary: 'go on with the training that was begun in FOLDER, to the same bits' },
    steps: { type: 'text', value: 'N', summary: 'stop after this step, without changing the schedule' },
    precision: { type: 'text', value: 'f32|f16', summary: 'numbers of the weights of the network in the end', default: 'f32' },
  },
  examples: [
    ['unitscope train models/twins/dead-repaired.json --out scenes/', 'learn from scenes; Ctrl-C stops it, and keeps what was learnt'],
    ['unitscope train models/twins/dead-repaired.json --out scenes/ --resume', 'go on'],
    ['unitscope train mine.json --out mine/ --steps 100', 'the first 100 steps'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out } = call.values;
    if (out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
    const precision = choiceOf('precision', call.values.precision!, ['f32', 'f16']);
    const stop = call.values.steps === undefined ? Infinity : countOf('steps', call.values.steps, 1, 1e9);
    const [path] = call.operands;
    const config = parseTraining(new TextDecoder().decode(await readBytes(path)), path, { sceneClasses: SCENE_CLASSES });
    const pictures = await openPictures(call, config, dirname(path));
    const { network, logits } = draft(config, pictures.labels);
    const total = config.steps ?? config.epochs! * pictures.epoch!;
    const begun = await openFolder(out, config, pictures.mark, call.flags.has('resume'));
    const first = begun?.step ?? 0;
    const log = await TrainingLogFile.open(out, { name: config.name, labels: pictures.labels, batch: config.batch, steps: total }, first);

    return withEngine(async (engine) => {
      const { batch, optimizer, decay, smoothing, seed } = config;
      const trainer = await Trainer.create(engine, { network, logits, batch, optimizer, decay, smoothing, seed, perturb: config.adversarial !== undefined, draw: pictures.draw });
      try {
        if (begun) trainer.restore(begun.state);
        const course: Course = { engine, trainer, config, pictures, log, out, total, stop: Math.max(first, Math.min(total, stop)) };
        const ended = await learn(call, course, first, begun?.sums);
        const over = !log.halt && ended.step === course.stop && !call.signal.aborted;
        const learnt = over ? await finish(call, course, ended, precision) : undefined;
        return await reportOf(call, course, ended, { network, adapter: adapterName(engine), evaluation: learnt });
      } finally {
        trainer.dispose();
      }
    });
  },
};

/** The network as it is kept, and how it answers pictures that it has not learnt from. */
async function finish(call: Call, { engine, trainer, config, pictures, log, out }: Course, { step }: Ended, precision: 'f32' | 'f16'): Promise<Evaluation | undefined> {
  const learnt = withoutDropout(await trainer.network());
  await writeNetwork(out, learnt, precision);
  const kept = precision === 'f16' ? rounded(learnt) : learnt;
  if (config.heldOut.images === 0) return undefined;
  const { images } = config.heldOut;
  const evaluation = await evaluate(engine, kept, {
    batch: config.batch,
    draw: pictures.draw,
    inputs: pictures.heldOut(),
    progress: (done) => call.progress.report('held-out pictures', done, images),
  });
  const { accuracy, confusion } = evaluation;
  await log.addHeldOut(step, { accuracy, confusion });
  const facts = { labels: pictures.labels, step, images, accuracy, confusion };
  await writeWhole(join(out, 'confusion.json'), new TextEncoder().encode(`${JSON.stringify(facts)}\n`));
  await writeWhole(join(out, 'confusion.txt'), new TextEncoder().encode(`${confusionLines(pictures.labels, confusion).join('\n')}\n`));
  return evaluation;
}

/** The network with its weights as a file of 16-bit floats has them. */
function rounded(network: Network): Network {
  const nodes = network.nodes.map((node) => ({
    ...node,
    weights: Object.fromEntries(Object.entries(node.weights).map(([role, { shape, data }]) => [role, { shape, data: roundToFloat16(data) }])),
  }));
  return { ...network, nodes };
}

interface Result {
  readonly network: Network;
  readonly adapter: string;
  readonly evaluation: Evaluation | undefined;
}

async function reportOf(call: Call, { config, pictures, log, out, total }: Course, { step, saved }: Ended, { network, adapter, evaluation }: Result): Promise<Report> {
  const findings = findingsOf(log.content);
  await log.addText(['', ...findingLines(findings)].join('\n'));
  const last = log.steps.at(-1);
  const again = `unitscope train ${call.operands[0]} --out ${out} --resume`;
  const state = log.halt
    ? `stopped at step ${log.halt.step}: numbers are not finite; ${saved > 0 ? `the network in ${out} is that of step ${saved}` : 'no checkpoint was written before'}`
    : call.signal.aborted || step < total
      ? `stopped after step ${step} of ${total}; go on with: ${again}`
      : `learnt in ${step} steps: ${out}`;
  const known = last && !log.halt ? [`last line of the log: loss ${last.loss.toFixed(4)}, ${percent(last.accuracy)} right`] : [];
  const shown = evaluation ? [`held-out pictures: ${percent(evaluation.accuracy)} of ${evaluation.images} right`, ...confusionLines(pictures.labels, evaluation.confusion)] : [];
  const parameters = network.nodes.reduce((sum, { weights }) => sum + Object.values(weights).reduce((count, { data }) => count + data.length, 0), 0);
  return {
    data: { ...summaryOf(config, out), adapter, parameters, steps: { done: step, saved, total }, last: last ? { ...last, layers: Object.fromEntries(last.layers) } : null, halt: log.halt ?? null, heldOut: evaluation ?? null, findings },
    text: [state, ...known, ...shown, '', ...findingLines(findings)].join('\n'),
    ...(log.halt && { exit: EXIT.failed }),
  };
}

const summaryOf = ({ name, batch, seed }: TrainingConfig, out: string) => ({ name, out, batch, seed });
