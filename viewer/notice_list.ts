/**
 * <notice-list>: messages that the program survives: what, where, what to do.
 * In: notices. Out: `dismiss` with the notice's id; `choose` with what was chosen of those that a notice offers.
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { icon } from './icons.ts';
import type { Notice } from './state.ts';
import { theme } from './theme.ts';

@customElement('notice-list')
export class NoticeList extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        position: fixed;
        z-index: 5;
        right: var(--gap);
        bottom: var(--gap);
        display: flex;
        flex-direction: column-reverse; /* what is too much is scrolled to the newest */
        width: min(440px, calc(100vw - 2 * var(--gap)));
        max-height: calc(100vh - 2 * var(--gap));
        overflow-y: auto;
      }
      [role='log'] {
        display: grid;
        flex: none;
        gap: 8px;
      }
      article {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 2px 8px;
        padding: 12px 8px 12px 14px;
        border: 1px solid var(--line);
        border-left: 3px solid var(--dim);
        border-radius: var(--radius);
        background: var(--raised);
        box-shadow: 0 8px 30px #0009;
        overflow-wrap: anywhere;
      }
      article.error {
        border-left-color: var(--bad);
      }
      h3 {
        margin: 0;
        font-size: 14px;
      }
      article > div {
        grid-column: 1;
        display: grid;
        gap: 2px;
      }
      code {
        color: var(--bad);
        font-size: 12px;
      }
      article {
        max-height: 45vh;
        overflow-y: auto;
      }
      p {
        white-space: pre-line;
      }
      button.icon {
        grid-area: 1 / 2;
        align-self: start;
        border: 0;
        background: none;
      }
    `,
  ];

  @property({ attribute: false }) notices: readonly Notice[] = [];

  override render() {
    return html`<div role="log" aria-label="Messages">
      ${this.notices.map(
        ({ id, kind, title, text, code, where, hint, choices = [] }) => html`
          <article class=${kind} role=${kind === 'error' ? 'alert' : nothing} data-code=${code ?? nothing}>
            <div>
              <h3>${title}</h3>
              <p>${text}</p>
              ${where ? html`<p class="dim">Where: ${where}</p>` : nothing}
              ${hint ? html`<p>What to do: ${hint}</p>` : nothing}
              ${choices.length > 0 ? html`<p>Which one is it? ${choices.map((choice) => this.choice(id, choice))}</p>` : nothing}
              ${code ? html`<p><code>${code}</code></p>` : nothing}
            </div>
            <button class="icon" aria-label="Dismiss" @click=${() => this.dispatchEvent(new CustomEvent('dismiss', { detail: id }))}>
              ${icon('close')}
            </button>
          </article>
        `,
      )}
    </div>`;
  }

  private choice(id: number, choice: string) {
    const choose = (): void => {
      this.dispatchEvent(new CustomEvent('choose', { detail: choice }));
      this.dispatchEvent(new CustomEvent('dismiss', { detail: id }));
    };
    return html`<button data-choice=${choice} @click=${choose}>${choice}</button> `;
  }
}
