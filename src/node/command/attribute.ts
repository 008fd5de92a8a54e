/** `unitscope attribute`: where in a picture the evidence for a unit lies. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  attribute as runAttribution,
  ATTRIBUTE_METHOD,
  classLayers,
  deprocess,
  drawAttribution,
  encodePng,
  evidenceLayer,
  findNode,
  hashBytes,
  parseTarget,
  RECIPE_KEYWORD,
  recipeText,
  writeNpy,
  type Attribution,
  type AttributionDisplay,
  type BackwardMode,
  type Json,
  type Network,
  type Preprocess,
  type Recipe,
  type Target,
  type Tensor,
} from '../../index.ts';
import { ATTRIBUTE_OPTIONS, attributeSettings, DISPLAY_OPTIONS, displayOf, type AttributeSettings } from './attribute_options.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { checkTarget, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { INPUT_OPTIONS, neededPreprocess, oneInput, splitOperands, statedPreprocess } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { measured } from './quantity.ts';

export const attribute: Command = {
  name: ATTRIBUTE_METHOD.name,
  summary: ATTRIBUTE_METHOD.summary,
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    unit: { type: 'text', value: 'UNIT', summary: 'LAYER:CHANNEL or LAYER:CHANNEL@Y,X; the class with the largest logit unless given' },
    'channel-activations': { type: 'flag', summary: 'explain the whole channel of --unit, each place as strongly as it answers' },
    ...ATTRIBUTE_OPTIONS,
    out: { type: 'text', value: 'FILE.npy', summary: 'write the numbers [1, C, H, W], of grad-cam [1, 1, H, W]' },
    picture: { type: 'text', value: 'FILE.png', summary: 'write them as a picture, with the recipe to make it again' },
    ...DISPLAY_OPTIONS,
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope attribute photo.png --method grad-cam --picture why.png', 'where the embedded network sees the class that it names'],
    ['unitscope attribute network.onnx photo.jpg --preprocess imagenet --method integrated --show norm --picture ig.png', 'integrated gradients, and by how much they miss the score'],
    ['unitscope attribute photo.png --unit conv4:17 --channel-activations --rule deconvnet --lrn identity --picture parts.png', 'what a channel answers to, as a deconvnet shows it'],
    ['unitscope attribute photo.png --mask off --rectify off --switches off --out linear.npy', 'any of the eight modes of the backward pass'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const settings = attributeSettings(call);
    const display = displayOf(call, settings.form);
    const { out, picture } = call.values;
    const { model, images } = await splitOperands(call);
    const { network, hash } = await loadModel(call, model);
    const target = targetOf(call, network);
    if (settings.form.endsWith('grad-cam')) evidenceLayer(network, target?.unit.layer ?? classLayers(network).logits, settings.evidence);
    if (out !== undefined) await checkTarget(out, '.npy');
    if (picture !== undefined) await checkTarget(picture, '.png');
    const preprocess = picture === undefined ? statedPreprocess(call, network) : neededPreprocess(call, network);
    const x = await oneInput(call, network, images);
    const progress = (done: number, total: number): void => {
      if (total > 1) call.progress.report(settings.form, done, total);
    };
    const { found, adapter } = await withKernels(call, async (engine) => ({
      found: await runAttribution(engine, network, x, { ...settings, target, preprocess, signal: call.signal, progress }),
      adapter: adapterName(engine),
    }));

    const files: string[] = [];
    if (out !== undefined) {
      await writeWhole(out, writeNpy(found.values));
      files.push(out);
    }
    if (picture !== undefined) {
      const image = drawAttribution(found.values, preprocess!, { ...display, picture: deprocess(x, preprocess!) });
      const recipe = { ...(await recipeOf(settings, display, found, x, preprocess!)), network: { name: network.name, hash }, adapter };
      await writeWhole(picture, await encodePng(image, { [RECIPE_KEYWORD]: recipeText(recipe) }));
      files.push(picture);
    }
    return report(call, network, settings, found, files);
  },
};

function targetOf(call: Call, network: Network): Target | undefined {
  const { unit } = call.values;
  const whole = call.flags.has('channel-activations');
  if (unit === undefined) {
    if (whole) throw new UnitscopeError('usage', '--channel-activations needs a channel', {}, 'name one with --unit LAYER:CHANNEL');
    return undefined;
  }
  const target = parseTarget(network, unit, whole);
  const { logits, softmax } = classLayers(network);
  if (findNode(network, target.unit.layer).output === softmax) {
    call.warn(`note: the gradient of a probability also says what speaks against the other classes; the logits are in '${findNode(network, logits).name}'`);
  }
  return target;
}

/** All that decides the picture, but for the network and the adapter; of the input its hash. */
async function recipeOf(
  { seed, mode, ...settings }: AttributeSettings,
  { mode: show, blur, full }: AttributionDisplay,
  { target, name, gradients, evidence }: Attribution,
  x: Tensor,
  preprocess: Preprocess,
): Promise<Omit<Recipe, 'network' | 'adapter'>> {
  const input = await hashBytes(new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength));
  const all = { ...settings, ...mode, show, blur, full, evidence, wholeChannel: target.wholeChannel, input, preprocess: { ...preprocess } };
  const stated = Object.entries(all).filter(([, value]) => value !== undefined);
  return { method: ATTRIBUTE_METHOD.name, units: [name], settings: Object.fromEntries(stated) as Readonly<Record<string, Json>>, seed, iterations: gradients, version };
}

/** `mask, switches, lrn true`: what is on. */
const modeText = ({ mask, rectify, switches, lrn }: BackwardMode): string =>
  [mask && 'mask', rectify && 'rectify', switches && 'switches', `lrn ${lrn}`].filter(Boolean).join(', ');

function report(call: Call, network: Network, { form, mode }: AttributeSettings, found: Attribution, files: readonly string[]): Report {
  const { values, target, name, score, gradients, completeness, evidence } = found;
  const norm = Math.sqrt(values.data.reduce((sum, value) => sum + value * value, 0));
  const finite = Number.isFinite(norm) && Number.isFinite(score);
  if (norm === 0) {
    const where = evidence === undefined ? '; look at the layer before its ReLU' : ` in '${evidence}'`;
    call.warn(`note: the attribution is 0 everywhere: the unit is silent here, or nothing speaks for it${where}`);
  }
  if (!finite) call.warn('the attribution has numbers that are not finite: the weights or the input have some, or it overflows');
  const isClass = target.unit.layer === findNode(network, classLayers(network).logits).name;
  const label = isClass ? network.labels?.[target.unit.channel] : undefined;
  const rows = [
    ['method', form],
    ['unit', target.wholeChannel ? `${name}, the whole channel` : name],
    ...(label === undefined ? [] : [['class', label]]),
    ['score', measured(score)],
    ...(mode ? [['backward', modeText(mode)]] : []),
    ...(evidence === undefined ? [] : [['maps of', evidence]]),
    ...(gradients > 1 ? [['gradients', String(gradients)]] : []),
    ['norm', measured(norm)],
    ['shape', values.shape.join(' x ')],
    ...(completeness ? completenessRows(completeness) : []),
  ];
  return {
    data: {
      network: network.name,
      method: form,
      unit: name,
      wholeChannel: target.wholeChannel,
      class: label ?? null,
      score,
      mode: mode ?? null,
      evidence: evidence ?? null,
      gradients,
      norm,
      shape: values.shape,
      completeness: completeness ?? null,
      files,
    },
    text: [...table(rows), ...files.map((file) => `wrote ${file}`)].join('\n'),
    exit: finite ? EXIT.ok : EXIT.failed,
  };
}

const completenessRows = ({ sum, difference, gap }: NonNullable<Attribution['completeness']>): string[][] => [
  ['sum', measured(sum)],
  ['score - baseline', measured(difference)],
  ['relative gap', measured(gap)],
];
