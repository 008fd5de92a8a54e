/**
 * <layer-list>: the layers in the order in which they run, each with its shape.
 * In: layers, selected. Out: `layer` with the name of the chosen one.
 */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { LayerInfo } from '../src/index.ts';
import { theme } from './theme.ts';

/** Names of the ops for people. */
const OPS: Readonly<Record<string, string>> = {
  conv2d: 'conv', relu: 'ReLU', max_pool: 'max pool', average_pool: 'mean pool', global_average_pool: 'mean', lrn: 'LRN', batch_norm: 'batch norm', add: 'sum',
};

@customElement('layer-list')
export class LayerList extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: block;
        overflow: auto;
        scrollbar-width: thin;
      }
      ol {
        display: grid;
        gap: 2px;
        margin: 0;
        padding: 3px;
        list-style: none;
      }
      button {
        display: grid;
        grid-template-columns: 1fr auto;
        width: 100%;
        min-height: 36px;
        padding: 4px 8px;
        border-color: transparent;
        background: none;
        text-align: left;
        line-height: 1.2;
      }
      button[aria-current='true'] {
        border-color: var(--accent);
        background: var(--raised);
      }
      span {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      small {
        grid-column: 1 / 3;
        color: var(--dim);
        font-size: 11px;
        font-weight: 400;
      }
      @media (max-width: 900px) {
        ol {
          display: flex;
        }
        button {
          width: max-content;
        }
      }
    `,
  ];

  @property({ attribute: false }) layers: readonly LayerInfo[] = [];
  @property() selected = '';

  override render() {
    return html`<nav aria-label="Layers"><ol>
      ${this.layers.map(
        ({ name, op, shape: [channels, height, width] }) => html`<li>
          <button
            aria-current=${name === this.selected ? 'true' : 'false'}
            data-layer=${name}
            @click=${() => this.dispatchEvent(new CustomEvent('layer', { detail: name }))}
          >
            <span>${name}</span>
            <small class="number">${OPS[op] ?? op} · ${height * width > 1 ? `${channels}×${height}×${width}` : channels}</small>
          </button>
        </li>`,
      )}
    </ol></nav>`;
  }

  override updated(): void {
    const chosen = this.renderRoot.querySelector('[aria-current=true]');
    const box = this.getBoundingClientRect();
    const inner = chosen?.getBoundingClientRect();
    if (inner && (inner.top < box.top || inner.bottom > box.bottom || inner.left < box.left || inner.right > box.right)) {
      this.scrollTo({ top: this.scrollTop + inner.top - box.top - 40, left: this.scrollLeft + inner.left - box.left - 40 });
    }
  }
}
