/** <failure-panel>: what stands in the page's place when there is no GPU to work with. In: failure. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Notice } from './state.ts';
import { theme } from './theme.ts';

const STEPS: Readonly<Record<string, readonly string[]>> = {
  'no-webgpu': [
    'Use a current browser: Chrome or Edge 113, Safari 26, Firefox 141, or newer.',
    'Open this page over https or from localhost: browsers hide WebGPU from other addresses.',
  ],
  'no-adapter': [
    'Switch on hardware acceleration in the browser’s settings and restart it.',
    'Update the graphics driver. On Linux, Chrome also needs a Vulkan driver.',
    'In a virtual machine or over remote desktop there may be no GPU to use.',
  ],
  'device-lost': ['Reload the page: the address keeps what you were looking at.', 'If it comes back, close other programs that use the GPU, or update its driver.'],
};

@customElement('failure-panel')
export class FailurePanel extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        place-items: center;
        min-height: 60vh;
        padding: var(--gap);
      }
      section {
        display: grid;
        gap: 14px;
        max-width: 560px;
        padding: 28px;
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--panel);
      }
      h1 {
        margin: 0;
        font-size: 22px;
      }
      ul {
        display: grid;
        gap: 6px;
        margin: 0;
        padding-left: 20px;
      }
      code {
        color: var(--dim);
        font-size: 12px;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) failure!: Omit<Notice, 'id'>;

  override render() {
    const { title, text, hint, code } = this.failure;
    const steps = STEPS[code ?? ''] ?? (hint ? [hint] : []);
    return html`<section role="alert" data-code=${code ?? nothing}>
      <h1>${title}</h1>
      <p>Unitscope computes on your own GPU, through WebGPU, and cannot go on without it.</p>
      <ul>${steps.map((step) => html`<li>${step}</li>`)}</ul>
      <div><button class="primary" @click=${() => location.reload()}>Reload</button></div>
      <code>${code}: ${text}</code>
    </section>`;
  }
}
