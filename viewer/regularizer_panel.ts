/**
 * <regularizer-panel>: the four regularizers of Yosinski et al. 2015 and the step size, as sliders that act at once.
 * In: settings, preset. Out: `preset` with 1..4, `settings` with what has changed.
 */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { AscentSettings } from '../src/index.ts';
import { short } from './numbers.ts';
import { theme } from './theme.ts';

interface Slider {
  readonly id: string;
  readonly label: string;
  /** What it does to the picture, in a few words. */
  readonly does: string;
  readonly key: 'decay' | 'blurRadius' | 'blurEvery' | 'smallNorm' | 'absContribution' | 'rate' | 'desired';
  readonly most: number;
  readonly step: number;
  /** The setting at a position of the slider, and back; the same number unless told. */
  readonly at?: (position: number) => number;
  readonly position?: (value: number) => number;
  readonly least?: number;
  readonly unit?: string;
}

const POWER = {
  at: (position: number): number => Number((10 ** position).toPrecision(3)),
  position: (value: number): number => Math.log10(Math.max(1e-9, value)),
};

/** Positions 0..1 are thin at the low end, where decay is used most. */
const SQUARE = { at: (position: number): number => Number((position * position).toFixed(4)), position: Math.sqrt };

const SLIDERS: readonly Slider[] = [
  { id: 'decay', label: 'L2 decay', does: 'fades bright extremes', key: 'decay', most: 1, step: 0.01, ...SQUARE },
  { id: 'norm', label: 'Small norm', does: 'clears faint pixels', key: 'smallNorm', most: 99, step: 1, unit: ' %' },
  { id: 'blur', label: 'Blur radius', does: 'smooths fine noise', key: 'blurRadius', most: 3, step: 0.05, unit: ' px' },
  { id: 'contribution', label: 'Small contribution', does: 'clears idle pixels', key: 'absContribution', most: 99, step: 1, unit: ' %' },
  { id: 'every', label: 'Blur every', does: 'steps between blurs', key: 'blurEvery', most: 20, step: 1 },
];

const RATE: Slider = { id: 'rate', label: 'Step size', does: 'how fast it climbs', key: 'rate', least: -2, most: 4, step: 0.05, ...POWER };
const GAIN: Slider = { id: 'rate', label: 'Step size', does: 'gain aimed at per step', key: 'desired', least: -2, most: 2, step: 0.05, ...POWER };

const PRESET_NAMES = ['Blur and small norm', 'Strong decay', 'Blur, little decay', 'Blur and contribution'] as const;

@customElement('regularizer-panel')
export class RegularizerPanel extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        gap: 10px;
      }
      .presets button {
        min-width: 40px;
      }
      .sliders {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(170px, 1fr));
        gap: 8px 20px;
      }
      label {
        display: grid;
        grid-template-columns: 1fr auto;
        font-weight: 500;
      }
      input,
      small {
        grid-column: 1 / 3;
      }
      small {
        color: var(--dim);
        font-weight: 400;
      }
      output {
        font-variant-numeric: tabular-nums;
      }
      output.off {
        color: var(--dim);
      }
    `,
  ];

  @property({ attribute: false }) settings!: AscentSettings;
  @property({ type: Number }) preset = 1;

  private move({ key, at }: Slider, position: number): void {
    const value = at ? at(position) : position;
    const changes: Partial<Record<Slider['key'], number>> = { [key]: value };
    // Either half of the blur alone would do nothing.
    if (key === 'blurRadius' && value > 0 && this.settings.blurEvery === 0) changes.blurEvery = 4;
    if (key === 'blurEvery' && value > 0 && this.settings.blurRadius === 0) changes.blurRadius = 0.5;
    this.dispatchEvent(new CustomEvent('settings', { detail: changes }));
  }

  private slider(slider: Slider) {
    const { id, label, does, key, most, step, least = 0, unit = '', position = (value: number) => value } = slider;
    const value = this.settings[key];
    const shown = value === 0 ? 'off' : `${key === 'blurEvery' || unit === ' %' ? value : short(value)}${unit}`;
    return html`<label for=${id}>
      ${label} <output for=${id} class=${value === 0 ? 'off' : ''}>${shown}</output>
      <input id=${id} type="range" min=${least} max=${most} step=${step} .value=${String(position(value))} aria-valuetext=${shown}
        @input=${(event: Event) => this.move(slider, (event.target as HTMLInputElement).valueAsNumber)} />
      <small>${does}</small>
    </label>`;
  }

  override render() {
    const speed = this.settings.policy === 'constant' ? RATE : GAIN;
    return html`
      <div class="row spread">
        <h2>Regularizers</h2>
        <div class="row presets" role="group" aria-label="Presets">
          ${([1, 2, 3, 4] as const).map(
            (preset, i) => html`<button
              aria-pressed=${preset === this.preset ? 'true' : 'false'}
              title=${PRESET_NAMES[i]!}
              aria-label=${`Preset ${preset}: ${PRESET_NAMES[i]}`}
              @click=${() => this.dispatchEvent(new CustomEvent('preset', { detail: preset }))}
            >${preset}</button>`,
          )}
        </div>
      </div>
      <div class="sliders">${[...SLIDERS, speed].map((slider) => this.slider(slider))}</div>
    `;
  }
}
