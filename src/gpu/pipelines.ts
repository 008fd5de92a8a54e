/** Compiles kernels, each text once; explicit layouts come from the kernel's own declarations. */
import { UnitscopeError } from '../errors.ts';
import { bindingsOf, type Binding } from './bindings.ts';

export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
}

export class PipelineCache {
  private readonly kernels = new Map<string, Promise<CompiledKernel>>();

  constructor(private readonly device: GPUDevice) {}

  /** @throws shader, with the line of the WGSL that the compiler names */
  compile(label: string, code: string): Promise<CompiledKernel> {
    const known = this.kernels.get(code);
    if (known) return known;
    const made = this.make(label, code);
    made.catch(() => this.kernels.delete(code));
    this.kernels.set(code, made);
    return made;
  }

  private async make(label: string, code: string): Promise<CompiledKernel> {
    const bindings = bindingsOf(code);
    const layout = this.device.createBindGroupLayout({
      label,
      entries: bindings.map(({ index, access }) => ({
        binding: index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      })),
    });
    this.device.pushErrorScope('validation');
    const module = this.device.createShaderModule({ label, code });
    const moduleError = this.device.popErrorScope();
    try {
      const pipeline = await this.device.createComputePipelineAsync({
        label,
        layout: this.device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      });
      await moduleError;
      return { pipeline, layout, bindings };
    } catch (cause) {
      await moduleError;
      throw await this.explain(label, code, module, cause);
    }
  }

  private async explain(label: string, code: string, module: GPUShaderModule, cause: unknown): Promise<UnitscopeError> {
    const { messages } = await module.getCompilationInfo();
    const error = [...messages].find((message) => message.type === 'error');
    const line = error?.lineNum ?? 0;
    const text = line ? `\n  ${line} | ${code.split('\n')[line - 1]?.trim().slice(0, 200)}` : '';
    const reason = error?.message ?? (cause instanceof Error ? cause.message : String(cause));
    return new UnitscopeError('shader', `kernel '${label}' does not compile: ${reason}${text}`, { step: label, ...(line && { line }) }, '', { cause });
  }
}
