/**
 * Networks with shortcuts and dense blocks, as torchvision exports them, against onnxruntime.
 * UNITSCOPE_FULL=1 takes their real sizes, and more exports.
 */
import { compareWithOrt } from './comparison.ts';

compareWithOrt([
  { name: 'resnet18', opset: 8, side: 64, openBatch: true, full: true },
  { name: 'resnet18', opset: 19, side: 64, fold: true, openBatch: true, full: true },
  { name: 'resnet50', opset: 13, side: 64, fold: true, openBatch: true },
  { name: 'densenet121', opset: 9, side: 64 },
  { name: 'mobilenet_v2', opset: 10, side: 64, full: true },
  { name: 'mobilenet_v2', opset: 12, side: 64, fold: true },
  { name: 'mnasnet1_0', opset: 14, side: 64, fold: true },
]);
