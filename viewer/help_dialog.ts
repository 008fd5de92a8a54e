/** <help-dialog>: what this is, and the keys. In: keys (whether they act). Out: `keys` with the new choice. Methods: toggle, close. */
import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { icon } from './icons.ts';
import { KEY_HELP } from './keys.ts';
import { theme } from './theme.ts';

@customElement('help-dialog')
export class HelpDialog extends LitElement {
  static override styles = [
    theme,
    css`
      dialog {
        width: min(560px, calc(100vw - 32px));
        padding: 24px;
        border: 1px solid var(--line);
        border-radius: 12px;
        background: var(--panel);
        color: var(--text);
      }
      dialog::backdrop {
        background: #000a;
      }
      .head {
        display: flex;
        justify-content: space-between;
        margin-bottom: 8px;
      }
      h1 {
        margin: 0;
        font-size: 18px;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 6px 16px;
        margin: 16px 0;
      }
      dt {
        font-family: ui-monospace, monospace;
        color: var(--accent);
      }
      dd {
        margin: 0;
      }
      label {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      input {
        width: 18px;
        height: 18px;
        accent-color: var(--accent);
      }
      @media (max-width: 480px) {
        dl {
          grid-template-columns: 1fr;
          gap: 0;
        }
        dd {
          margin-bottom: 8px;
        }
      }
    `,
  ];

  @property({ type: Boolean }) keys = true;
  @query('dialog') private dialog!: HTMLDialogElement;

  toggle(): void {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  override render() {
    return html`<dialog aria-labelledby="title">
      <div class="head">
        <h1 id="title">How to look</h1>
        <button class="icon" aria-label="Close" @click=${() => this.close()}>${icon('close')}</button>
      </div>
      <p class="dim">
        Choose a picture, then a layer: every small map shows where one unit of that layer answers. Choose a unit, and a
        picture forms that the unit answers to most. Everything is computed on your own GPU; no file leaves this machine.
      </p>
      <dl>${KEY_HELP.map(([key, does]) => html`<dt>${key}</dt><dd>${does}</dd>`)}</dl>
      <label><input type="checkbox" ?checked=${this.keys} @change=${(event: Event) => this.dispatchEvent(new CustomEvent('keys', { detail: (event.target as HTMLInputElement).checked }))} /> Single-letter keys act</label>
    </dialog>`;
  }
}
