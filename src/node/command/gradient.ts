/** `unitscope gradient`: which pixels of a picture move a unit. */
import { UnitscopeError } from '../../errors.ts';
import { encodePng, gradient as runGradient, layerShape, normalizedGradient, parseUnit, unitName, writeNpy } from '../../index.ts';
import { EXIT, type Command, type Report } from './command.ts';
import { checkTarget, writeWhole } from './files.ts';
import { KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { INPUT_OPTIONS, neededPreprocess, oneInput, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { RULES } from './plan.ts';
import { measured } from './quantity.ts';
import { choiceOf } from './value.ts';

const MODES = ['raw', 'grey', 'norm'] as const;

export const gradient: Command = {
  name: 'gradient',
  summary: 'compute the gradient of a unit with respect to a picture',
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    unit: { type: 'text', value: 'UNIT', summary: 'LAYER:CHANNEL or LAYER:CHANNEL@Y,X; without a place, the centre of the map' },
    rule: { type: 'text', value: 'RULE', summary: `how ReLU lets it through: ${RULES.join(', ')}`, default: 'gradient' },
    out: { type: 'text', value: 'FILE.npy', summary: 'write the gradient [N, C, H, W]' },
    picture: { type: 'text', value: 'FILE.png', summary: 'write it as a picture' },
    show: { type: 'text', value: 'MODE', summary: `the picture: ${MODES.join(', ')} (colour, mean of the channels, strength)`, default: 'raw' },
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope gradient photo.png --unit fc8:1 --rule guided --picture why.png', 'what speaks for a class of the embedded network'],
    ['unitscope gradient network.onnx photo.jpg --preprocess imagenet --unit conv4:17@6,6 --out dx.npy', 'one unit at one place, as numbers'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { unit: address, out, picture } = call.values;
    const rule = choiceOf('rule', call.values.rule!, RULES);
    const mode = choiceOf('show', call.values.show!, MODES);
    const { model, images } = await splitOperands(call);
    const { network } = await loadModel(call, model);
    if (address === undefined) throw new UnitscopeError('usage', 'no unit is given', {}, "name one with --unit LAYER:CHANNEL, for example --unit conv3:12@6,6");
    const unit = parseUnit(network, address);
    if (out !== undefined) await checkTarget(out, '.npy');
    if (picture !== undefined) await checkTarget(picture, '.png');
    const way = picture === undefined ? undefined : neededPreprocess(call, network);
    const x = await oneInput(call, network, images);
    const { gradient: dx, scores } = await withKernels(call, (engine) => runGradient(engine, network, x, { units: [unit], rule }));

    const files: string[] = [];
    if (out !== undefined) {
      await writeWhole(out, writeNpy(dx));
      files.push(out);
    }
    if (picture !== undefined) {
      await writeWhole(picture, await encodePng(normalizedGradient(dx, way!, { mode })));
      files.push(picture);
    }
    const norm = Math.sqrt(dx.data.reduce((sum, value) => sum + value * value, 0));
    const finite = Number.isFinite(norm) && scores.every(Number.isFinite);
    if (norm === 0) call.warn('note: the gradient is 0 everywhere: the unit is silent here; look at the layer before its ReLU');
    if (!finite) call.warn('the gradient has numbers that are not finite: the weights or the input have some, or it overflows');
    const name = unitName(unit, layerShape(network, unit.layer));
    const rows = [['unit', name], ['rule', rule], ['activation', scores.map(measured).join(', ')], ['norm', measured(norm)], ['shape', dx.shape.join(' x ')]];
    return {
      data: { network: network.name, unit: name, rule, scores, norm, shape: dx.shape, files },
      text: [...table(rows), ...files.map((file) => `wrote ${file}`)].join('\n'),
      exit: finite ? EXIT.ok : EXIT.failed,
    };
  },
};
