/**
 * <preprocess-panel>: how a picture becomes the network's input. Nothing is guessed: it is shown, and can be changed.
 * In: value (absent: the file does not say), planes of the input. Out: `preprocess` with the new one.
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { parsePreprocess, PREPROCESS_PRESETS, UnitscopeError, type Preprocess } from '../src/index.ts';
import { theme } from './theme.ts';

const text = (value: Preprocess): string => JSON.stringify([value.channels, value.range, value.mean, value.std]);

@customElement('preprocess-panel')
export class PreprocessPanel extends LitElement {
  static override styles = [
    theme,
    css`
      details {
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }
      details.asks {
        border-color: var(--accent);
      }
      summary {
        padding: 8px 12px;
        cursor: pointer;
      }
      form {
        display: grid;
        gap: 10px;
        padding: 4px 12px 12px;
      }
      label {
        display: grid;
        gap: 2px;
        color: var(--dim);
        font-size: 12px;
      }
      .pair {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 8px;
      }
      input,
      select {
        width: 100%;
        min-width: 0;
      }
      .wrong {
        color: var(--bad);
      }
      code {
        font-size: 12px;
      }
    `,
  ];

  @property({ attribute: false }) value?: Preprocess;
  @property({ type: Number }) planes = 3;
  @state() private wrong = '';

  private get presets(): [string, Preprocess][] {
    return Object.entries(PREPROCESS_PRESETS).filter(([, preset]) => preset.mean.length === this.planes);
  }

  private take(changes: string): void {
    try {
      const next = parsePreprocess(changes, this.value ?? this.presets[0]?.[1]);
      this.wrong = '';
      this.dispatchEvent(new CustomEvent('preprocess', { detail: next }));
    } catch (error) {
      this.wrong = error instanceof UnitscopeError ? error.message : String(error);
    }
  }

  private field(name: 'range' | 'mean' | 'std', label: string, value: string) {
    return html`<label>${label}
      <input type="text" inputmode="decimal" autocomplete="off" .value=${value} @change=${(event: Event) => this.take(`${name}=${(event.target as HTMLInputElement).value}`)} />
    </label>`;
  }

  private choice(name: 'channels' | 'fit', label: string, options: readonly string[], value: string | undefined) {
    return html`<label>${label}
      <select @change=${(event: Event) => this.take(`${name}=${(event.target as HTMLSelectElement).value}`)}>
        ${options.map((option) => html`<option value=${option} ?selected=${option === value}>${option}</option>`)}
      </select>
    </label>`;
  }

  override render() {
    const { value } = this;
    const current = value && this.presets.find(([, preset]) => text(preset) === text(value))?.[0];
    return html`
      <details class=${value ? '' : 'asks'} ?open=${!value}>
        <summary>Preprocessing ${value ? html`<span class="dim">· ${current ?? 'its own'}</span>` : nothing}</summary>
        <form @submit=${(event: Event) => event.preventDefault()}>
          ${value ? nothing : html`<p>This file does not say how pictures are fed to the network. Choose what it was trained with:</p>`}
          <div class="row" role="group" aria-label="Common preprocessings">
            ${this.presets.map(([name]) => html`<button type="button" aria-pressed=${name === current ? 'true' : 'false'} @click=${() => this.take(name)}>${name}</button>`)}
          </div>
          ${value
            ? html`
                <div class="pair">
                  ${this.choice('channels', 'Channel order', this.planes === 1 ? ['gray'] : ['RGB', 'BGR'], value.channels)}
                  ${this.choice('fit', 'Fit', ['crop', 'stretch'], value.fit)}
                </div>
                ${this.field('range', 'Value of white', String(value.range))}
                ${this.field('mean', 'Mean, one number per channel', value.mean.join(', '))}
                ${this.field('std', 'Standard deviation', value.std.join(', '))}
                <code class="dim">x = (pixel · white / 255 − mean) / deviation</code>
              `
            : nothing}
          <p class="wrong" role="status">${this.wrong}</p>
        </form>
      </details>
    `;
  }
}
