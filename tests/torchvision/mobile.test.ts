/**
 * Networks with gates, shuffled channels and layer norms, as torchvision exports them, against onnxruntime.
 * UNITSCOPE_FULL=1 takes their real sizes, and more exports.
 */
import { compareWithOrt, type Case } from './comparison.ts';

const GATED: Case = { name: 'mobilenet_v3_small', opset: 18, side: 64 };

compareWithOrt(
  [
    { name: 'shufflenet_v2_x1_0', opset: 10, side: 64, openBatch: true, fold: true },
    { name: 'shufflenet_v2_x1_0', opset: 16, side: 64, openBatch: true, batch: 2, fold: true, full: true },
    { name: 'shufflenet_v2_x1_0', opset: 18, side: 64 },
    { name: 'mobilenet_v3_large', opset: 13, side: 64, fold: true, full: true },
    { name: 'mobilenet_v3_small', opset: 11, side: 64, fold: true },
    GATED,
    { name: 'efficientnet_b0', opset: 15, side: 64, fold: true, full: true },
    { name: 'efficientnet_b0', opset: 18, side: 64 },
    { name: 'convnext_tiny', opset: 13, side: 64 },
    { name: 'convnext_tiny', opset: 17, side: 64, full: true },
    { name: 'convnext_tiny', opset: 20, side: 64, full: true },
  ],
  [
    {
      what: "the slope of another library's hard sigmoid",
      of: GATED,
      change: (node) => (node.op === 'hard_sigmoid' ? { ...node, attributes: { ...node.attributes, alpha: 0.2 } } : node),
    },
    {
      what: 'a tenth of the epsilon of batch norms',
      of: GATED,
      change: (node) => (node.op === 'batch_norm' ? { ...node, attributes: { ...node.attributes, epsilon: 1e-4 } } : node),
    },
  ],
);
