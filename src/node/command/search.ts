/** `unitscope search`: many settings for one unit, compared, and four that complement each other; or a sweep of one regularizer at a time. */
import { UnitscopeError } from '../../errors.ts';
import { encodePng, RECIPE_KEYWORD, recipeText, search as runSearch, SEARCH_METHOD, trialBatches, type TrialFacts, type TrialResult } from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { PREPROCESS_OPTIONS } from './input.ts';
import { JobFolder } from './job_folder.ts';
import { MODEL_OPTIONS } from './model.ts';
import { findPieces, keepPiece, type Kinds, type Piece } from './pieces.ts';
import { counted, measured } from './quantity.ts';
import { SEARCH_OPTIONS, searchJob, trialPlaces, trialRecipe, type SearchJob, type TrialPlace } from './search_job.ts';
import { writeSearch, type TrialRow } from './search_result.ts';

const FACTS: Kinds<TrialFacts> = {
  status: 'string', score: 'number?', step: 'number?', argmax: 'number?', iterations: 'number', rank: 'number?', of: 'number', probability: 'number?', variation: 'number?', sparsity: 'number?',
};

export const search: Command = {
  name: SEARCH_METHOD.name,
  summary: SEARCH_METHOD.summary,
  operands: ['MODEL?'],
  options: { ...SEARCH_OPTIONS, ...PREPROCESS_OPTIONS, ...KERNEL_OPTIONS, ...MODEL_OPTIONS },
  examples: [
    ['unitscope search --unit fc8:2 --trials 48 --iterations 200 --out search', 'settings for a class of the embedded network'],
    ['unitscope search network.onnx --unit conv5:3 --preprocess caffe --out search', '300 published settings for one unit'],
    ['unitscope search --unit fc8:2 --sweep --out sweep', 'what each regularizer does alone'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const job = await searchJob(call);
    const places = await trialPlaces(job);
    const folder = await JobFolder.open(job.out, job.text);
    const pieces = await findPieces(folder, places, FACTS, { pictures: true, signal: call.signal, warn: call.warn });
    const { adapter, failed } = await makeTrials(call, job, folder, places, pieces);
    if (call.signal.aborted) {
      throw new UnitscopeError('aborted', `stopped: ${pieces.size} of ${counted(places.length, 'trial')} are in '${job.out}'`, {}, 'the same command goes on from there');
    }
    const { rows, chosen, files } = await writeSearch(folder, job, places.map((place) => ({ place, piece: pieces.get(place) })));
    return {
      data: { network: job.network.name, hash: job.hash, adapter, unit: job.name, seed: job.seed, folder: job.out, chosen, trials: rows, files },
      text: describe(rows, chosen, files.map((file) => folder.file(file))),
      exit: failed > 0 ? EXIT.failed : EXIT.ok,
    };
  },
};

type Pieces = Map<TrialPlace, Piece<TrialFacts>>;

/** Runs what is missing, in whole batches as they were planned: the bits are then those of a run without a stop. */
async function makeTrials(call: Call, job: SearchJob, folder: JobFolder, places: readonly TrialPlace[], pieces: Pieces): Promise<{ adapter: string | null; failed: number }> {
  const batches = trialBatches(job.trials, job.batch).filter((own) => own.some(({ number }) => !pieces.has(places[number])));
  if (batches.length === 0) return { adapter: null, failed: 0 };
  const total = batches.flat().reduce((sum, { settings }) => sum + settings.iterations, 0);
  const percent = (work: number): string => `${Math.floor((100 * work) / total)} %`;
  let [before, failed] = [0, 0];
  return withKernels(call, async (engine) => {
    const adapter = adapterName(engine);
    call.progress.report('trials', 0, total, percent);
    for await (const { trials, done, of, results } of runSearch(engine, job.network, { ...job, batches, signal: call.signal })) {
      for (const result of results ?? []) failed += Number(!(await keep(call, job, folder, places[result.trial.number], pieces, result, adapter)));
      if (results && !call.signal.aborted) before += of * trials.length;
      const work = results ? before : Math.min(total - 1, before + done * trials.length);
      call.progress.report('trials', work, total, percent, `${pieces.size} of ${places.length} kept`);
    }
    return { adapter, failed };
  });
}

/** @returns false where the trial has failed */
async function keep(call: Call, job: SearchJob, folder: JobFolder, place: TrialPlace, pieces: Pieces, { trial, facts, image, message }: TrialResult, adapter: string): Promise<boolean> {
  if (!facts && message !== undefined) call.warn(`${place.name}: ${message}`);
  if (!facts || pieces.has(place)) return facts !== undefined || message === undefined;
  const picture = image && (await encodePng(image, { [RECIPE_KEYWORD]: recipeText(trialRecipe(job, trial, facts.iterations, adapter)) }));
  await keepPiece(folder, place, { ...facts }, picture);
  pieces.set(place, { facts, pictured: picture !== undefined, ...(picture && { picture }) });
  return true;
}

function describe(rows: readonly TrialRow[], chosen: readonly number[], files: readonly string[]): string {
  const cells = chosen.map((number, n) => {
    const { score, rank, variation } = rows[number];
    return [String.fromCharCode(65 + n), String(number), measured(score!), String(rank), measured(variation!)];
  });
  return [
    `${rows.filter(({ file }) => file !== null).length} of ${counted(rows.length, 'trial')} have a picture`,
    ...(cells.length > 0 ? table([['', 'trial', 'score', 'rank', 'variation'], ...cells], [1, 2, 3, 4]) : []),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
