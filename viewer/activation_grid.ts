/**
 * <activation-grid>: all maps of a layer, drawn by the GPU under a grid of cells that mouse and keyboard can reach.
 * In: layer, shape, selected, ranges, label (unit -> words). Out: `unit` with the chosen one, `canvas` with the canvas to
 * draw on, `layout` with the columns and the cell in pixels of that canvas.
 */
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { GridLayout, MapRange } from '../src/index.ts';
import { short } from './numbers.ts';
import { theme } from './theme.ts';

/** Sides of a cell in CSS pixels: what a finger can hit, and what is large enough. */
const CELL = { least: 24, most: 120 } as const;
/** From this side on a cell has room for a word. */
const WORD_CELL = 64;
const MOST_CANVAS = 8192;

@customElement('activation-grid')
export class ActivationGrid extends LitElement {
  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        grid-template-rows: minmax(0, 1fr) auto;
        gap: 8px;
        min-height: 0;
      }
      .scroll {
        min-height: 0;
        overflow: auto;
        scrollbar-width: thin;
      }
      .sheet {
        position: relative;
        margin: 0 auto;
      }
      canvas,
      .cells {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
      }
      .line {
        display: flex;
      }
      .cell {
        display: grid;
        place-items: end start;
        flex: none;
        overflow: hidden;
        padding: 4px 6px;
        font-size: 12px;
        line-height: 1.1;
        color: #fff;
        text-shadow: 0 0 3px #000, 0 0 3px #000, 0 1px 2px #000;
        border-radius: 3px;
        cursor: pointer;
      }
      .cell:hover {
        box-shadow: inset 0 0 0 1px #fff9;
      }
      .cell[aria-selected='true'] {
        box-shadow: inset 0 0 0 2px var(--accent);
      }
      .cell:focus-visible {
        outline-offset: -4px;
      }
      .readout {
        min-height: 21px;
        overflow: hidden;
        white-space: nowrap;
        text-overflow: ellipsis;
      }
    `,
  ];

  @property() layer = '';
  @property({ attribute: false }) shape: readonly [number, number, number] = [0, 1, 1];
  @property({ type: Number }) selected = 0;
  @property({ attribute: false }) ranges: readonly MapRange[] = [];
  @property({ attribute: false }) label: (unit: number) => string = () => '';
  @state() private columns = 1;
  @state() private cell = 0;
  @state() private hovered = -1;
  @query('.scroll') private scroller!: HTMLElement;
  @query('canvas') private canvas!: HTMLCanvasElement;
  private readonly resized = new ResizeObserver(() => this.fit());

  override firstUpdated(): void {
    this.resized.observe(this.scroller);
    this.fit();
  }

  override disconnectedCallback(): void {
    this.resized.disconnect();
    super.disconnectedCallback();
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has('shape') && this.hasUpdated) this.fit();
  }

  override updated(changed: PropertyValues): void {
    if (changed.has('columns') || changed.has('cell') || changed.has('shape')) this.lay();
    if (changed.has('selected') || changed.has('layer')) {
      const cell = this.cellOf(this.selected);
      if (this.shadowRoot!.activeElement?.classList.contains('cell')) cell?.focus({ preventScroll: true });
      if (cell) this.reveal(cell);
    }
  }

  /** Scrolls the sheet, and nothing else of the page. */
  private reveal(cell: HTMLElement): void {
    const { scroller } = this;
    const top = cell.offsetTop;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + this.cell > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + this.cell - scroller.clientHeight;
  }

  /** Moves the selection; called by whoever reads the keys. */
  move(direction: 'left' | 'right' | 'up' | 'down', fast: boolean): void {
    const step = { left: -1, right: 1, up: -this.columns, down: this.columns }[direction] * (fast ? (direction === 'left' || direction === 'right' ? 5 : 3) : 1);
    this.choose(Math.max(0, Math.min(this.shape[0] - 1, this.selected + step)));
  }

  /** The largest cells with which all maps fit; where they would be too small to hit, the sheet scrolls. */
  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.scroller;
    const [maps] = this.shape;
    if (width === 0 || maps === 0) return;
    let best = { worth: 0, cell: 0, columns: Math.max(1, Math.floor(width / CELL.least)) };
    for (let columns = 1; columns <= maps && columns * CELL.least <= width; columns++) {
      const rows = Math.ceil(maps / columns);
      const cell = Math.min(CELL.most, Math.floor(width / columns), Math.floor(height / rows));
      // Large cells, and a last row that is not nearly empty.
      const worth = (cell * maps) / (columns * rows);
      if (cell >= CELL.least && worth > best.worth) best = { worth, cell, columns };
    }
    this.cell = Math.max(CELL.least, best.cell);
    this.columns = Math.min(maps, best.columns);
  }

  /** Gives the canvas as many pixels as the screen has under it. */
  private lay(): void {
    const across = this.columns * this.cell;
    const down = this.rows * this.cell;
    if (this.cell === 0 || down === 0) return;
    const sheet = this.canvas.parentElement!;
    sheet.style.width = `${across}px`;
    sheet.style.height = `${down}px`;
    for (const cell of this.renderRoot.querySelectorAll<HTMLElement>('.cell')) {
      cell.style.width = cell.style.height = `${this.cell}px`;
    }
    const scale = Math.min(devicePixelRatio, MOST_CANVAS / Math.max(across, down));
    this.canvas.width = Math.round(across * scale);
    this.canvas.height = Math.round(down * scale);
    const layout: GridLayout = { columns: this.columns, cell: this.cell * scale, gap: Math.max(1, Math.round((this.cell > 40 ? 2 : 1) * scale)) };
    this.dispatchEvent(new CustomEvent('layout', { detail: layout }));
    this.dispatchEvent(new CustomEvent('canvas', { detail: this.canvas }));
  }

  private get rows(): number {
    return Math.ceil(this.shape[0] / this.columns);
  }

  private choose(unit: number): void {
    this.dispatchEvent(new CustomEvent('unit', { detail: unit }));
  }

  private cellOf(unit: number): HTMLElement | null {
    return this.renderRoot.querySelector(`[data-unit='${unit}']`);
  }

  private unitAt(event: Event): number {
    const unit = (event.target as HTMLElement).dataset?.['unit'];
    return unit === undefined ? -1 : Number(unit);
  }

  private line(row: number) {
    const first = row * this.columns;
    const units = Array.from({ length: Math.min(this.columns, this.shape[0] - first) }, (_, i) => first + i);
    return html`<div class="line" role="row">
      ${units.map(
        (unit) => html`<div
          class="cell"
          role="gridcell"
          data-unit=${unit}
          tabindex=${unit === this.selected ? 0 : -1}
          aria-selected=${unit === this.selected ? 'true' : 'false'}
          aria-label=${`${this.layer} unit ${unit} ${this.label(unit)}`}
          >${this.cell >= WORD_CELL ? this.label(unit) : nothing}</div
        >`,
      )}
    </div>`;
  }

  override render() {
    const shown = this.hovered >= 0 && this.hovered < this.shape[0] ? this.hovered : this.selected;
    const range = this.ranges[shown];
    const label = this.label(shown);
    const flat = this.shape[1] * this.shape[2] === 1;
    return html`
      <div class="scroll">
        <div class="sheet">
          <canvas></canvas>
          <div
            class="cells"
            role="grid"
            aria-label=${`Units of ${this.layer}`}
            @click=${(event: Event) => this.unitAt(event) >= 0 && this.choose(this.unitAt(event))}
            @pointerover=${(event: Event) => (this.hovered = this.unitAt(event))}
            @pointerleave=${() => (this.hovered = -1)}
          >
            ${Array.from({ length: this.rows }, (_, row) => this.line(row))}
          </div>
        </div>
      </div>
      <p class="readout number">
        ${this.layer}:${shown}${label ? html` · <strong>${label}</strong>` : nothing}
        ${range ? html`<span class="dim"> · ${flat ? `value ${short(range[1])}` : `${short(range[0])} to ${short(range[1])}`}</span>` : nothing}
      </p>
    `;
  }
}
