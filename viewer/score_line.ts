/** <score-line>: the course of a score as a small line. In: scores. */
import { css, html, LitElement, nothing, svg } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { short } from './numbers.ts';

const WIDTH = 400;
const HEIGHT = 48;

@customElement('score-line')
export class ScoreLine extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 48px;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
      overflow: visible;
    }
    .zero {
      stroke: var(--line);
    }
    polyline {
      fill: none;
      stroke: var(--accent);
      stroke-width: 1.5;
      stroke-linejoin: round;
    }
    line,
    polyline {
      vector-effect: non-scaling-stroke;
    }
  `;

  @property({ attribute: false }) scores: readonly number[] = [];

  override render() {
    const finite = this.scores.filter(Number.isFinite);
    const low = Math.min(0, ...finite);
    const high = Math.max(0, ...finite);
    const y = (score: number): number => (high > low ? HEIGHT - 2 - ((score - low) / (high - low)) * (HEIGHT - 4) : HEIGHT - 2);
    const points = finite.map((score, i) => `${((i / Math.max(1, finite.length - 1)) * WIDTH).toFixed(1)},${y(score).toFixed(1)}`).join(' ');
    const label = finite.length > 0 ? `Activation from ${short(finite[0]!)} to ${short(finite.at(-1)!)}` : 'Activation';
    return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
      ${svg`<line class="zero" x1="0" x2=${WIDTH} y1=${y(0)} y2=${y(0)} />`}
      ${finite.length > 1 ? svg`<polyline points=${points} />` : nothing}
    </svg>`;
  }
}
