/** `unitscope classify`: the best classes of pictures. */
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import { classify as classifyTensor, classLayers, layerShape, stackImages, type Classification, type Network, type Tensor } from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { exactTensor, INPUT_OPTIONS, neededPreprocess, pictureTensor, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { measured } from './quantity.ts';
import { countOf } from './value.ts';

/** Images that run at once. */
const BATCH = 8;

interface Answer {
  readonly image: string;
  readonly classes?: readonly Classification[];
  readonly fault?: { readonly code: string; readonly message: string };
}

export const classify: Command = {
  name: 'classify',
  summary: 'name the best classes of pictures',
  operands: ['MODEL?', 'IMAGE?...'],
  options: {
    top: { type: 'text', value: 'N', summary: 'classes per picture', default: '5' },
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope classify photo.png', 'what the embedded network sees'],
    ['unitscope classify network.onnx *.jpg --preprocess imagenet --labels classes.txt', 'many pictures, a model that does not state its preprocessing'],
    ['unitscope classify network.onnx --input x.npy --top 3 --json', 'an exact tensor'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const top = countOf('top', call.values.top!, 1, 100_000);
    const { model, images } = await splitOperands(call);
    const { network } = await loadModel(call, model);
    checkLabels(call, network);
    const answers = call.values.input === undefined ? await classifyPictures(call, network, images, top) : await classifyExact(call, network, images, top);
    const failed = answers.some(({ fault }) => fault);
    return {
      data: { network: network.name, images: answers },
      text: answers.flatMap(describe).join('\n'),
      exit: failed ? EXIT.failed : EXIT.ok,
    };
  },
};

async function classifyExact(call: Call, network: Network, images: readonly string[], top: number): Promise<Answer[]> {
  if (images.length > 0) throw new UnitscopeError('usage', 'give pictures or --input, not both');
  const path = call.values.input!;
  const x = await exactTensor(path, network);
  const all = await withKernels(call, (engine) => classifyTensor(engine, network, x, { top, signal: call.signal }));
  return all.map((classes, n) => ({ image: all.length === 1 ? path : `${path}[${n}]`, classes }));
}

/** Picture by picture into batches: one that cannot be read is reported, the others go on. */
async function classifyPictures(call: Call, network: Network, images: readonly string[], top: number): Promise<Answer[]> {
  if (images.length === 0) throw new UnitscopeError('usage', 'IMAGE is missing', {}, 'or feed a tensor with --input FILE.npy');
  const way = neededPreprocess(call, network);
  return withKernels(call, async (engine) => {
    const answers: Answer[] = [];
    call.progress.report('classify', 0, images.length);
    for (let start = 0; start < images.length && !call.signal.aborted; start += BATCH) {
      const paths = images.slice(start, start + BATCH);
      const read = await Promise.all(paths.map((path) => pictureTensor(path, network, way).catch(faultOf(call))));
      const tensors = read.filter((tensor): tensor is Tensor => 'shape' in tensor);
      const classes = tensors.length === 0 ? [] : await classifyTensor(engine, network, stackImages(tensors), { top });
      for (const [n, image] of paths.entries()) {
        const tensor = read[n];
        answers.push('shape' in tensor ? { image, classes: classes.shift()! } : { image, fault: tensor });
      }
      call.progress.report('classify', Math.min(start + BATCH, images.length), images.length);
    }
    if (answers.length === 0) throwIfAborted(call.signal);
    return answers;
  });
}

/** Takes note of a picture that cannot be used; any other error goes on. */
function faultOf(call: Call) {
  return (error: unknown): { code: string; message: string } => {
    if (!(error instanceof UnitscopeError) || !['io', 'image-decode'].includes(error.code)) throw error;
    call.warn(error.describe());
    return { code: error.code, message: error.message };
  };
}

function checkLabels(call: Call, network: Network): void {
  const classes = layerShape(network, classLayers(network).logits).slice(1).reduce((a, b) => a * b, 1);
  const { labels } = network;
  if (labels && labels.length !== classes) call.warn(`note: ${labels.length} labels for ${classes} classes: names may be wrong`);
}

function describe({ image, classes, fault }: Answer): string[] {
  if (!classes) return [`${image}: ${fault!.message}`];
  const rows = classes.map(({ index, label, probability, logit }) => [`${(100 * probability).toFixed(2)} %`, label, `class ${index}`, measured(logit)]);
  return [image, ...table(rows, [0, 3])];
}
