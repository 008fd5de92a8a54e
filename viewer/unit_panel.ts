/**
 * <unit-panel>: the chosen unit: its preferred input while it forms, its map, how far it has come, and the controls.
 * In: name, label, shape, climb, seed, range, waits. Out: `play`, `pause`, `reset`, `save`, `seed` with a number,
 * `canvas` with {place, canvas} to draw on.
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { MapRange } from '../src/index.ts';
import type { ClimbState } from './climb.ts';
import { icon } from './icons.ts';
import { count, short } from './numbers.ts';
import './score_line.ts';
import { theme } from './theme.ts';

const STOPPED: Readonly<Record<string, string>> = {
  noGradient: 'No gradient reaches the picture: the unit is silent here. Try another seed, or the layer before its ReLU.',
  notFinite: 'The numbers ran out of range. Make the step smaller and start over.',
};

@customElement('unit-panel')
export class UnitPanel extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        gap: 12px;
        align-content: start;
      }
      h1 {
        margin: 0;
        font-size: 18px;
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      h1 span {
        color: var(--accent);
      }
      .stage {
        display: grid;
        grid-template-columns: minmax(0, 5fr) minmax(0, 2fr);
        gap: var(--gap);
      }
      figure {
        display: grid;
        gap: 4px;
        align-content: start;
        margin: 0;
      }
      figcaption {
        color: var(--dim);
        font-size: 12px;
      }
      .picture {
        width: 100%;
        aspect-ratio: 1;
        border-radius: var(--radius);
        background: var(--ground);
      }
      .picture canvas {
        display: block;
        width: 100%;
        height: 100%;
        border-radius: inherit;
      }
      .side {
        display: grid;
        gap: 12px;
        align-content: space-between;
      }
      dl {
        display: grid;
        gap: 8px;
        margin: 0;
      }
      dt {
        color: var(--dim);
        font-size: 12px;
      }
      dd {
        margin: 0;
        font-size: 20px;
        line-height: 1.2;
      }
      dd.yes {
        color: var(--good);
        font-size: 14px;
      }
      dd.no {
        font-size: 14px;
      }
      .seed {
        margin-left: auto;
        display: flex;
        align-items: center;
        gap: 6px;
      }
      .seed input {
        width: 68px;
      }
      .stopped {
        color: var(--bad);
      }
    `,
  ];

  @property() name = '';
  @property() label = '';
  @property({ attribute: false }) shape: readonly [number, number, number] = [1, 1, 1];
  @property({ attribute: false }) climb: ClimbState = { phase: 'preparing', step: 0, scores: [] };
  @property({ attribute: false }) range?: MapRange;
  @property({ type: Number }) seed = 0;
  /** What it waits for, for people. */
  @property() waits = '';
  @query('#image') private image!: HTMLCanvasElement;
  @query('#map') private map!: HTMLCanvasElement;
  private readonly resized = new ResizeObserver(() => this.offer());

  override firstUpdated(): void {
    for (const canvas of [this.image, this.map]) this.resized.observe(canvas.parentElement!);
    this.offer();
  }

  override disconnectedCallback(): void {
    this.resized.disconnect();
    super.disconnectedCallback();
  }

  private offer(): void {
    for (const [place, canvas] of [['image', this.image], ['map', this.map]] as const) {
      const side = Math.round(canvas.clientWidth * devicePixelRatio);
      if (side > 0 && canvas.width !== side) canvas.width = canvas.height = side;
      this.tell('canvas', { place, canvas });
    }
  }

  private tell(event: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }

  private takeSeed(event: Event): void {
    const { valueAsNumber } = event.target as HTMLInputElement;
    if (Number.isInteger(valueAsNumber) && valueAsNumber >= 0 && valueAsNumber <= 0xffffffff) this.tell('seed', valueAsNumber);
    else this.requestUpdate();
  }

  override render() {
    const { climb, shape } = this;
    const { latest } = climb;
    const flat = shape[1] * shape[2] === 1;
    const running = climb.phase === 'running';
    const stopped = latest && STOPPED[latest.status];
    return html`
      <h1>${this.name}${this.label ? html` <span>${this.label}</span>` : nothing}</h1>
      <div class="stage">
        <figure>
          <div class="picture"><canvas id="image" width="1" height="1" role="img" aria-label=${`Preferred input of ${this.name}, forming`}></canvas></div>
          <figcaption>The input that this unit prefers${climb.phase === 'preparing' ? ` · ${this.waits || 'preparing …'}` : ''}</figcaption>
        </figure>
        <div class="side">
          <figure>
            <div class="picture"><canvas id="map" width="1" height="1" role="img" aria-label=${`Activation of ${this.name} on the input`}></canvas></div>
            <figcaption class="number">On your input${this.range ? `: ${flat ? '' : 'up to '}${short(this.range[1])}` : ''}</figcaption>
          </figure>
          <dl class="number">
            <div><dt>Activation</dt><dd>${latest ? short(latest.score) : '–'}</dd></div>
            <div><dt>Iteration</dt><dd>${count(climb.step)}</dd></div>
            <div>
              <dt>Strongest of its layer</dt>
              <dd class=${latest?.isArgmax ? 'yes' : 'no'}>${latest ? (latest.isArgmax ? '✓ yes' : 'not yet') : '–'}</dd>
            </div>
          </dl>
        </div>
      </div>
      <score-line .scores=${climb.scores}></score-line>
      ${stopped ? html`<p class="stopped" role="status">${stopped}</p>` : nothing}
      <div class="row">
        <button class="primary" ?disabled=${climb.phase === 'preparing'} @click=${() => this.tell(running ? 'pause' : 'play')}>
          ${icon(running ? 'pause' : 'play')} ${running ? 'Pause' : climb.phase === 'finished' ? 'Go on' : 'Play'}
        </button>
        <button ?disabled=${climb.phase === 'preparing'} @click=${() => this.tell('reset')}>${icon('reset')} Reset</button>
        <button title="Save PNG with its recipe" ?disabled=${climb.phase === 'preparing'} @click=${() => this.tell('save')}>${icon('save')} Save</button>
        <div class="seed">
          <label for="seed" class="dim">Seed</label>
          <input id="seed" type="number" min="0" max="4294967295" step="1" .value=${String(this.seed)} @change=${(event: Event) => this.takeSeed(event)} />
          <button class="icon" aria-label="Another seed" title="Another seed" @click=${() => this.tell('seed', Math.floor(Math.random() * 10_000))}>${icon('dice')}</button>
        </div>
      </div>
    `;
  }
}
