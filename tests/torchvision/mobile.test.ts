/** Networks with gates, shuffled channels and layer norms, as torchvision exports them, against onnxruntime. */
import { compareWithOrt } from './comparison.ts';

compareWithOrt([
  { name: 'shufflenet_v2_x1_0', opset: 10, side: 64, openBatch: true, fold: true },
  { name: 'shufflenet_v2_x1_0', opset: 16, side: 64, openBatch: true, batch: 2, fold: true },
  { name: 'shufflenet_v2_x1_0', opset: 18, side: 64 },
  { name: 'mobilenet_v3_large', opset: 13, side: 64, fold: true },
  { name: 'mobilenet_v3_small', opset: 11, side: 64, fold: true },
  { name: 'mobilenet_v3_small', opset: 18, side: 64 },
  { name: 'efficientnet_b0', opset: 15, side: 64, fold: true },
  { name: 'efficientnet_b0', opset: 18, side: 64 },
  { name: 'convnext_tiny', opset: 13, side: 64 },
  { name: 'convnext_tiny', opset: 17, side: 64 },
  { name: 'convnext_tiny', opset: 20, side: 64 },
]);
