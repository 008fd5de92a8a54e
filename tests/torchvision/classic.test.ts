/**
 * Networks without shortcuts, as torchvision exports them, against onnxruntime.
 * UNITSCOPE_FULL=1 takes their real sizes, and more exports.
 */
import { compareWithOrt } from './comparison.ts';

compareWithOrt([
  { name: 'alexnet', opset: 7, side: 224, hidden: 256 },
  { name: 'vgg11', opset: 8, side: 64, hidden: 256, pooled: 2, full: true },
  { name: 'vgg11_bn', opset: 13, side: 64, hidden: 256, pooled: 2, full: true },
  { name: 'vgg16', opset: 9, side: 64, hidden: 256, pooled: 2, full: true },
  { name: 'vgg16_bn', opset: 10, side: 64, hidden: 256, pooled: 2, fold: true },
  { name: 'squeezenet1_0', opset: 9, side: 96, full: true },
  { name: 'squeezenet1_1', opset: 10, side: 96 },
  { name: 'googlenet', opset: 12, side: 64, fold: true, full: true },
  { name: 'googlenet', opset: 17, side: 64, transformInput: true },
  { name: 'inception_v3', opset: 11, side: 95, fold: true },
]);
