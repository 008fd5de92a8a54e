/**
 * How torch.onnx names what it writes, which changed over the years:
 * `numbers`: tensors are counted (`191`), nodes have no name (before 1.1) or `Conv_12`;
 * `paths`: a node is called by the modules around it, `/layer1/layer1.0/conv1/Conv`, its tensor `..._output_0`;
 * `functions`: a tensor is called by the function that made it, `conv2d_3`, its node `node_conv2d_3`.
 */

const FUNCTIONS: Readonly<Record<string, string>> = {
  Add: 'add', AveragePool: 'avg_pool2d', BatchNormalization: 'batch_norm', Clip: 'clamp', Concat: 'cat', Conv: 'conv2d', Gelu: 'gelu', Gemm: 'linear',
  HardSigmoid: 'hardsigmoid', HardSwish: 'hardswish', LayerNormalization: 'layer_norm', MaxPool: 'max_pool2d', Mul: 'mul', ReduceMean: 'mean', Relu: 'relu',
  Reshape: 'view', Sigmoid: 'sigmoid', Transpose: 'permute',
};

export class Names {
  private readonly era: 'numbers' | 'paths' | 'functions';
  private readonly taken = new Map<string, number>();
  private tensors = 0;
  private nodes = 0;

  constructor(private readonly opset: number) {
    this.era = opset < 13 ? 'numbers' : opset < 18 ? 'paths' : 'functions';
  }

  get input(): string {
    return { numbers: 'input.1', paths: 'input', functions: 'x' }[this.era];
  }

  /** The node `op` of the module `at` and the tensors that it makes. */
  node(at: string, op: string, outputs = 1): { name: string; outputs: string[] } {
    const index = this.nodes++;
    const each = (name: (i: number) => string): string[] => Array.from({ length: outputs }, (_, i) => name(i));
    if (this.era === 'numbers') return { name: this.opset < 9 ? '' : `${op}_${index}`, outputs: each(() => this.number()) };
    if (this.era === 'functions') {
      const name = this.unique(FUNCTIONS[op] ?? 'val');
      return { name: `node_${name}`, outputs: each((i) => (outputs === 1 ? name : `${name}_split_${i}`)) };
    }
    const name = this.unique([...scopes(at), op].map((part) => `/${part}`).join(''));
    return { name, outputs: each((i) => `${name}_output_${i}`) };
  }

  /** A weight that the exporter itself computed. */
  folded(op: string): string {
    return this.era === 'paths' ? `onnx::${op}_${this.number()}` : this.number();
  }

  constant(): string {
    return this.unique('val');
  }

  private number(): string {
    return String(191 + this.tensors++);
  }

  private unique(name: string): string {
    const count = this.taken.get(name) ?? 0;
    this.taken.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

/** 'layer1.0.conv1' -> layer1, layer1.0, conv1: a member of a list is called with the list in front. */
function scopes(at: string): string[] {
  const parts: string[] = [];
  for (const part of at === '' ? [] : at.split('.')) parts.push(/^\d+$/.test(part) && parts.length > 0 ? `${parts.at(-1)}.${part}` : part);
  return parts;
}
