/** The template tag of wgsl-preprocessor, which ships no types: `#if ${condition}`, `#elif`, `#else`, `#endif`. */
declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  export function wgsl(strings: TemplateStringsArray, ...values: readonly unknown[]): string;
}
