/**
 * `unitscope atlas`: the picture of every unit of a layer or of the whole network, and a page that shows them. A unit without a gradient
 * is a finding and no failure: it has its entry and no picture. The end is 1 only where numbers are not finite or a batch could not run.
 */
import { ATLAS_METHOD, climb, encodePng, RECIPE_KEYWORD, recipeText, type ClimbOutcome } from '../../index.ts';
import { ATLAS_OPTIONS, atlasJob, unitRecipe, type AtlasJob, type AtlasPlace } from './atlas_job.ts';
import { writeAtlas, type LayerCount, type UnitFacts } from './atlas_result.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { PREPROCESS_OPTIONS } from './input.ts';
import { JobFolder } from './job_folder.ts';
import { MODEL_OPTIONS } from './model.ts';
import { findPieces, keepPiece, type Kinds, type Piece } from './pieces.ts';
import { counted } from './quantity.ts';

const FACTS: Kinds<UnitFacts> = { status: 'string', score: 'number?', step: 'number?', argmax: 'number?', isArgmax: 'boolean', iterations: 'number' };

type Pieces = Map<AtlasPlace, Piece<UnitFacts>>;

export const atlas: Command = {
  name: ATLAS_METHOD.name,
  summary: ATLAS_METHOD.summary,
  operands: ['MODEL?'],
  options: { ...ATLAS_OPTIONS, ...PREPROCESS_OPTIONS, ...KERNEL_OPTIONS, ...MODEL_OPTIONS },
  examples: [
    ['unitscope atlas --layers conv1,conv2 --iterations 200 --out atlas', 'two layers of the embedded network; atlas/index.html shows them'],
    ['unitscope atlas network.onnx --layers all --preprocess imagenet --out atlas', 'every unit of a network'],
    ['unitscope atlas network.onnx --layers all --preprocess imagenet --shard 2/8 --out part2', 'an eighth of it, on one of eight machines'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const job = await atlasJob(call);
    const places = job.layers.flatMap((layer) => layer.places);
    const folder = await JobFolder.open(job.out, job.text);
    const pieces: Pieces = await findPieces(folder, places, FACTS, { pictures: false, signal: call.signal, warn: call.warn });
    const { adapter, failed } = await makeUnits(call, job, folder, pieces);
    const { layers, files } = await writeAtlas(folder, job, pieces);
    const broken = [...pieces.values()].some(({ facts }) => facts.status === 'not finite');
    return {
      data: { network: job.network.name, hash: job.hash, adapter, folder: job.out, shard: job.shard, units: places.length, finished: pieces.size, layers, files },
      text: describe(job, layers, pieces.size, places.length, files.map((file) => folder.file(file))),
      exit: failed || broken ? EXIT.failed : EXIT.ok,
    };
  },
};

/** Makes what is missing of this machine's share, in whole batches as they were planned: the bits are then those of a run without a stop. */
async function makeUnits(call: Call, job: AtlasJob, folder: JobFolder, pieces: Pieces): Promise<{ adapter: string | null; failed: boolean }> {
  const batches = job.batches.filter((own) => own.some((place) => !pieces.has(place)));
  if (batches.length === 0) return { adapter: null, failed: false };
  const { iterations } = job.settings;
  const units = job.batches.flat().length;
  let before = units - batches.flat().length;
  let failed = false;
  const report = (now: number, detail: string): void =>
    call.progress.report('units', iterations * before + now, iterations * units, (work) => String(Math.floor(work / iterations)), detail);
  return withKernels(call, async (engine) => {
    const adapter = adapterName(engine);
    report(0, '');
    const options = { preprocess: job.preprocess, start: job.start, contrast: job.contrast, signal: call.signal };
    for await (const { jobs, done, outcomes } of climb(engine, job.network, batches, options)) {
      const [{ unit }] = jobs;
      if (!outcomes) {
        report(Math.min(done * jobs.length, iterations * jobs.length - 1), unit.layer);
        continue;
      }
      const fault = outcomes.find(({ status }) => status === 'failed');
      if (fault) call.warn(`${unit.layer}: ${counted(jobs.length, 'unit')} failed: ${fault.message}`);
      failed ||= fault !== undefined;
      for (const [n, place] of jobs.entries()) await keep(job, folder, pieces, place, outcomes[n], adapter);
      if (!call.signal.aborted) before += jobs.length;
      report(0, unit.layer);
    }
    return { adapter, failed };
  });
}

async function keep(job: AtlasJob, folder: JobFolder, pieces: Pieces, place: AtlasPlace, outcome: ClimbOutcome, adapter: string): Promise<void> {
  const facts = factsOf(outcome);
  if (!facts || pieces.has(place)) return;
  const { image } = outcome;
  const picture = image && (await encodePng(image, { [RECIPE_KEYWORD]: recipeText(unitRecipe(job, place.unitName, facts.iterations, adapter)) }));
  await keepPiece(folder, place, { ...facts }, picture);
  pieces.set(place, { facts, pictured: picture !== undefined });
}

/** undefined where the unit is to be tried again. */
function factsOf({ status, score, step, argmax, isArgmax, iterations }: ClimbOutcome): UnitFacts | undefined {
  if (status === 'interrupted' || status === 'failed') return undefined;
  const ran = score !== undefined && Number.isFinite(score);
  return { status, score: ran ? score : null, step: ran ? step! : null, argmax: argmax ?? null, isArgmax, iterations };
}

function describe({ shard }: AtlasJob, layers: readonly LayerCount[], finished: number, units: number, files: readonly string[]): string {
  const rows = layers.map(({ layer, units: all, pictures, argmax, silent, open }) => [layer, all, pictures, argmax, silent, open].map(String));
  const part = shard ? `, part ${shard.index} of ${shard.count}` : '';
  return [
    `${finished} of ${counted(units, 'unit')} are finished${part}`,
    ...table([['layer', 'units', 'pictures', 'argmax', 'no gradient', 'open'], ...rows], [1, 2, 3, 4, 5]),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
