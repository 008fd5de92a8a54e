/**
 * <input-panel>: the picture as the network sees it, what the network calls it, and where the next picture comes from.
 * In: seen, name, classes, examples, example, camera, scenes, verdict. Out: `example` with a name, `files` with a list of
 * files, `camera` and `scenes` to switch them on or off, `freeze`, `next`.
 */
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type { Classification, Image } from '../src/index.ts';
import type { CameraState } from './camera.ts';
import type { Example } from './embedded.ts';
import { icon } from './icons.ts';
import { percent } from './numbers.ts';
import { showPicture } from './picture.ts';
import { NO_SCENES, type ScenesState, type verdictOf } from './scenes.ts';
import { theme } from './theme.ts';

const VERDICTS = { right: '✓ recognized', wrong: '✗ not recognized', unknown: 'not a class of this network' } as const;

@customElement('input-panel')
export class InputPanel extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        gap: 12px;
        align-content: start;
      }
      figure {
        display: grid;
        gap: 6px;
        margin: 0;
      }
      canvas {
        width: 100%;
        aspect-ratio: 1;
        object-fit: contain;
        border-radius: var(--radius);
        background: var(--ground);
        image-rendering: pixelated;
      }
      canvas.stale {
        filter: grayscale(1) brightness(0.6);
      }
      .classes {
        display: grid;
        gap: 5px;
        align-content: start;
        min-height: 152px;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      .classes li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 8px;
        color: var(--dim);
      }
      .classes li:first-child {
        color: var(--text);
        font-weight: 600;
      }
      .classes span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      meter {
        grid-column: 1 / 3;
        width: 100%;
        height: 4px;
        border: 0;
        border-radius: 2px;
        background: var(--raised);
      }
      meter::-webkit-meter-bar {
        height: 4px;
        border: 0;
        border-radius: 2px;
        background: var(--raised);
      }
      meter::-webkit-meter-optimum-value {
        border-radius: 2px;
        background: var(--dim);
      }
      meter::-moz-meter-bar {
        border-radius: 2px;
        background: var(--dim);
      }
      li:first-child meter::-webkit-meter-optimum-value {
        background: var(--accent);
      }
      li:first-child meter::-moz-meter-bar {
        background: var(--accent);
      }
      .examples {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(48px, 1fr));
        gap: 6px;
      }
      .examples button {
        padding: 0;
        overflow: hidden;
        aspect-ratio: 1;
        min-height: 0;
      }
      .examples button[aria-pressed='true'] {
        box-shadow: 0 0 0 1px var(--accent);
      }
      .examples img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      .reason {
        color: var(--bad);
      }
      figcaption {
        font-size: 12px;
      }
      .drawn {
        display: flex;
        flex-wrap: wrap;
        gap: 0 8px;
        min-height: 1.5em;
      }
      .drawn [data-verdict='right'] {
        color: var(--good);
      }
      .drawn [data-verdict='wrong'] {
        color: var(--bad);
      }
      .drawn [data-verdict='unknown'] {
        color: var(--dim);
      }
      .row > :not(.icon) {
        flex: 1;
      }
      @media (max-width: 1240px) {
        .view {
          display: grid;
          grid-template-columns: minmax(0, 220px) minmax(40%, 1fr);
          gap: var(--gap);
        }
      }
    `,
  ];

  @property({ attribute: false }) seen?: Image;
  @property() name = '';
  @property({ attribute: false }) classes: readonly Classification[] = [];
  @property({ attribute: false }) examples: readonly Example[] = [];
  @property() example = '';
  @property({ attribute: false }) camera: CameraState = { phase: 'off', reason: '' };
  @property({ attribute: false }) scenes: ScenesState = NO_SCENES;
  @property() verdict: ReturnType<typeof verdictOf>;
  @query('canvas') private canvas!: HTMLCanvasElement;
  @query('input') private picker!: HTMLInputElement;

  override updated(changed: PropertyValues): void {
    if (!changed.has('seen')) return;
    if (this.seen) showPicture(this.canvas, this.seen);
    else this.canvas.width = this.canvas.height = 1;
  }

  private tell(event: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }

  private get cameraOn(): boolean {
    return this.camera.phase === 'live' || this.camera.phase === 'frozen' || this.camera.phase === 'asking';
  }

  /** What is drawn, and whether the network says so. */
  private truth() {
    const { verdict } = this;
    return html`<p class="drawn">
      ${this.scenes.drawn ? html`<span>Drawn: <strong>${this.scenes.drawn}</strong></span>` : html`<span class="dim">preparing the first scene …</span>`}
      ${verdict ? html`<span data-verdict=${verdict}>${VERDICTS[verdict]}</span>` : nothing}
    </p>`;
  }

  override render() {
    const { camera, scenes } = this;
    const moving = [camera.phase, scenes.phase];
    return html`
      <h2>Input</h2>
      <div class="view">
        <figure>
          <canvas width="1" height="1" role="img" aria-label=${`${this.name}, as the network sees it`} class=${camera.phase === 'failed' ? 'stale' : ''}></canvas>
          <figcaption class="dim number">
            ${this.seen ? `${this.seen.width} × ${this.seen.height} pixels, as the network sees it` : 'not shown to the network yet'}
          </figcaption>
          ${this.scenes.phase === 'off' ? nothing : this.truth()}
        </figure>
        <ol class="classes" aria-label="What the network says">
          ${this.classes.map(
            ({ label, probability }) => html`<li>
              <span>${label}</span><span class="number">${percent(probability)}</span>
              <meter min="0" max="1" .value=${probability} aria-label=${label}></meter>
            </li>`,
          )}
        </ol>
      </div>
      <div class="examples" role="group" aria-label="Example pictures">
        ${this.examples.map(
          ({ name, url }) => html`<button aria-pressed=${name === this.example ? 'true' : 'false'} title=${name} @click=${() => this.tell('example', name)}>
            <img src=${url} alt=${name} width="48" height="48" />
          </button>`,
        )}
      </div>
      <div class="row">
        <button @click=${() => this.picker.click()}>${icon('file')} Picture</button>
        <button aria-pressed=${this.cameraOn ? 'true' : 'false'} @click=${() => this.tell('camera')}>
          ${icon('camera')} ${this.cameraOn ? 'Stop camera' : camera.phase === 'failed' ? 'Retry camera' : 'Camera'}
        </button>
        <button data-source="scenes" aria-pressed=${scenes.phase === 'off' ? 'false' : 'true'} title="Moving scenes, drawn here without end (v)" @click=${() => this.tell('scenes')}>
          ${icon('scenes')} Scenes
        </button>
        ${moving.includes('live') || moving.includes('frozen')
          ? html`<button aria-pressed=${moving.includes('frozen') ? 'true' : 'false'} title="Hold this frame (f)" @click=${() => this.tell('freeze')}>Freeze</button>`
          : nothing}
        ${scenes.phase === 'off' ? nothing : html`<button class="icon" data-next aria-label="Next scene" title="Next scene (g)" @click=${() => this.tell('next')}>${icon('next')}</button>`}
      </div>
      <p class="reason" role="status">${camera.reason}</p>
      <input type="file" accept="image/*" hidden aria-label="Picture" @change=${() => {
        this.tell('files', [...(this.picker.files ?? [])]);
        this.picker.value = '';
      }} />
    `;
  }
}
