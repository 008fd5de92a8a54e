/**
 * <unitscope-app>: the page. It hands the session's state to the panels and their wishes to the session, reads the keys,
 * and takes what is dropped. Attributes for programs: phase, layer, unit, step.
 */
import { html, LitElement, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import './activation_grid.ts';
import type { ActivationGrid } from './activation_grid.ts';
import { appStyle } from './app_style.ts';
import { droppedFiles } from './dropped.ts';
import { EXAMPLES } from './embedded.ts';
import './failure_panel.ts';
import './help_dialog.ts';
import type { HelpDialog } from './help_dialog.ts';
import { start } from './first_view.ts';
import { icon } from './icons.ts';
import { takeFiles } from './incoming.ts';
import './input_panel.ts';
import { actionOf, type Action } from './keys.ts';
import './layer_list.ts';
import './notice_list.ts';
import { compact } from './numbers.ts';
import './preprocess_panel.ts';
import { savePicture } from './recipe_file.ts';
import './regularizer_panel.ts';
import { verdictOf } from './scenes.ts';
import { Session } from './session.ts';
import { unitLabel, type State } from './state.ts';
import { theme } from './theme.ts';
import './unit_panel.ts';

const GAMMAS = [1, 0.7, 0.5, 0.3];
const KEYS_OFF = 'unitscope keys off';

@customElement('unitscope-app')
export class App extends LitElement {
  static override styles = [theme, appStyle];

  /** Everything the page knows; programs and tests may read it. */
  readonly session = new Session();
  @state() private dropping = false;
  @state() private keys = localStorage.getItem(KEYS_OFF) === null;
  @query('activation-grid') private grid!: ActivationGrid | null;
  @query('help-dialog') private help!: HelpDialog;
  @query('#network') private picker!: HTMLInputElement;

  override connectedCallback(): void {
    super.connectedCallback();
    this.session.addEventListener('change', () => this.requestUpdate());
    addEventListener('keydown', (event) => this.onKey(event));
    for (const type of ['dragenter', 'dragover', 'dragleave', 'drop'] as const) addEventListener(type, (event) => this.onDrag(event));
    void start(this.session, location.hash);
  }

  private onDrag(event: DragEvent): void {
    event.preventDefault();
    // Leaving an element inside the page is no leaving.
    if (event.type !== 'dragleave' || event.relatedTarget === null) this.dropping = event.type === 'dragover' || event.type === 'dragenter';
    const { items, files } = event.dataTransfer ?? {};
    if (event.type !== 'drop' || !files?.length) return;
    droppedFiles(items ?? [], files).then((found) => takeFiles(this.session, found)).catch((error: unknown) => this.session.report(error));
  }

  private onKey(event: KeyboardEvent): void {
    const action = actionOf(event);
    if (!action || (!this.keys && event.key.length === 1)) return;
    if (action.kind !== 'escape') event.preventDefault();
    this.act(action);
  }

  private act(action: Action): void {
    const { session } = this;
    const { state } = session;
    // From outside the list, forth leads to its first and back to its last.
    const step = <T>(list: readonly T[], at: number, by: number): T | undefined => list[((at < 0 && by < 0 ? 0 : at) + by + list.length) % list.length];
    switch (action.kind) {
      case 'unit':
        return this.grid?.move(action.direction, action.fast);
      case 'layer': {
        const at = state.layers.findIndex(({ name }) => name === state.layer) + action.by;
        if (state.layers[at]) session.setLayer(state.layers[at].name);
        return;
      }
      case 'picture': {
        const next = step(EXAMPLES, EXAMPLES.findIndex(({ name }) => name === state.example), action.by);
        return next && void session.showExample(next.name);
      }
      case 'camera':
        return this.toggleCamera();
      case 'scenes':
        return this.toggleScenes();
      case 'next scene':
        return session.scenes.next();
      case 'freeze':
        return state.scenes.phase === 'off' ? session.camera.freeze() : session.scenes.freeze();
      case 'gamma':
        return session.setColors({ gamma: step(GAMMAS, GAMMAS.indexOf(state.colors.gamma), 1)! });
      case 'scale':
        return session.setColors({ scale: state.colors.scale === 'layer' ? 'map' : 'layer' });
      case 'play':
        return state.climb.phase === 'running' ? void session.climb.pause() : session.climb.play();
      case 'reset':
        return void session.climb.reset();
      case 'help':
        return this.help.toggle();
      case 'escape':
        return this.help.close();
    }
  }

  private toggleCamera(): void {
    const { camera, scenes } = this.session;
    scenes.stop();
    if (camera.state.phase === 'off' || camera.state.phase === 'failed') void camera.start();
    else camera.stop();
  }

  private toggleScenes(): void {
    const { camera, scenes } = this.session;
    camera.stop();
    if (scenes.state.phase === 'off') scenes.start();
    else scenes.stop();
  }

  private setKeys(on: boolean): void {
    this.keys = on;
    if (on) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, '1');
  }

  private async copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.session.notify({ kind: 'info', title: 'Link copied', text: 'It opens this network at this unit, with this preset and seed.' });
    } catch {
      this.session.notify({ kind: 'info', title: 'The link is in the address bar', text: 'The browser does not let this page write to the clipboard.' });
    }
  }

  override updated(): void {
    const { phase, layer, unit, climb } = this.session.state;
    for (const [name, value] of Object.entries({ phase, layer, unit, step: climb.step })) this.setAttribute(name, String(value));
  }

  private header({ network, software, busy }: State) {
    const parameters = network?.network.nodes.reduce((sum, { weights }) => sum + Object.values(weights).reduce((n, { data }) => n + data.length, 0), 0);
    return html`<header>
      <strong class="brand"><img src=${new URL('./favicon.svg', import.meta.url).href} alt="" width="24" height="24" /> Unitscope</strong>
      <span class="network dim">
        ${busy || (network ? html`${network.embedded ? 'Embedded network' : network.network.name} · ${network.network.nodes.length} layers · ${compact(parameters!)} weights` : 'starting …')}
      </span>
      <div class="row">
        <button @click=${() => this.picker.click()}>${icon('file')} Open network</button>
        <button class="icon" aria-label="Copy link" title="Copy a link to this view" ?disabled=${!network} @click=${() => this.copyLink()}>${icon('link')}</button>
        <button class="icon" aria-label="Help and keys" title="Help and keys (?)" @click=${() => this.help.toggle()}>?</button>
      </div>
      <input id="network" type="file" multiple hidden aria-label="Network files" @change=${() => {
        void takeFiles(this.session, [...(this.picker.files ?? [])]);
        this.picker.value = '';
      }} />
      ${software ? html`<p class="software" role="status">No GPU here: WebGPU computes in software, so everything works but slowly.</p>` : nothing}
    </header>`;
  }

  private panels(state: State) {
    const { session } = this;
    const info = state.layers.find(({ name }) => name === state.layer);
    const label = unitLabel(state, state.unit);
    const shape = info?.shape ?? [0, 1, 1];
    const preprocessing = state.network
      ? html`<preprocess-panel .value=${state.preprocess} .planes=${state.network.network.inputs[0]!.shape[1] ?? 3}
          @preprocess=${(event: CustomEvent) => session.setPreprocess(event.detail)}></preprocess-panel>`
      : nothing;
    return html`<main>
      <section class="input">
        ${state.preprocess ? nothing : preprocessing}
        <input-panel
          .seen=${state.seen} .name=${state.pictureName} .classes=${state.classes} .examples=${EXAMPLES} .example=${state.example ?? ''} .camera=${state.camera}
          .scenes=${state.scenes} .verdict=${verdictOf(state.scenes, state.classes, state.network?.network.labels)}
          @example=${(event: CustomEvent<string>) => session.showExample(event.detail)}
          @files=${(event: CustomEvent<File[]>) => takeFiles(session, event.detail)}
          @camera=${() => this.toggleCamera()}
          @scenes=${() => this.toggleScenes()}
          @next=${() => session.scenes.next()}
          @freeze=${() => this.act({ kind: 'freeze' })}
        ></input-panel>
        ${state.preprocess ? preprocessing : nothing}
        <p class="dim hint">Drop a picture or a network (.onnx; .prototxt and .caffemodel together; a folder with model.json; .safetensors) anywhere. Nothing leaves this machine.</p>
      </section>
      <section class="layers">
        <h2>Layers</h2>
        <layer-list .layers=${state.layers} .selected=${state.layer} @layer=${(event: CustomEvent<string>) => session.setLayer(event.detail)}></layer-list>
      </section>
      <section class="activations">
        <div class="row spread">
          <h2>${state.layer ? html`What ${state.layer} answers` : 'Activations'}</h2>
          <div class="row">
            <button aria-pressed=${state.colors.scale === 'map' ? 'true' : 'false'} title="Every map at its own full contrast (m)" @click=${() => this.act({ kind: 'scale' })}>Scale each map</button>
            <button class="number" title="Gamma of the colours (t)" @click=${() => this.act({ kind: 'gamma' })}>γ ${state.colors.gamma}</button>
          </div>
        </div>
        <activation-grid
          .layer=${state.layer} .shape=${shape} .selected=${state.unit} .ranges=${state.ranges} .label=${(unit: number) => unitLabel(state, unit)}
          @unit=${(event: CustomEvent<number>) => session.setUnit(event.detail)}
          @layout=${(event: CustomEvent) => session.setGridLayout(event.detail)}
          @canvas=${(event: CustomEvent<HTMLCanvasElement>) => session.stage.offer('grid', event.detail)}
        ></activation-grid>
      </section>
      <section class="unit">
        <unit-panel
          .name=${state.layer ? `${state.layer}:${state.unit}` : 'Unit'} .label=${label} .shape=${shape} .climb=${state.climb} .range=${state.ranges[state.unit]} .seed=${state.seed} .waits=${state.network && !state.preprocess ? 'waits for the preprocessing' : ''}
          @play=${() => session.climb.play()}
          @pause=${() => session.climb.pause()}
          @reset=${() => session.climb.reset()}
          @save=${() => savePicture(state, session.climb).catch((error: unknown) => session.report(error))}
          @seed=${(event: CustomEvent<number>) => session.setSeed(event.detail)}
          @canvas=${(event: CustomEvent) => session.stage.offer(event.detail.place, event.detail.canvas)}
        ></unit-panel>
        <regularizer-panel .settings=${state.settings} .preset=${state.preset}
          @preset=${(event: CustomEvent) => session.setPreset(event.detail)}
          @settings=${(event: CustomEvent) => session.setSettings(event.detail)}
        ></regularizer-panel>
      </section>
    </main>`;
  }

  override render() {
    const { state } = this.session;
    return html`
      ${this.header(state)}
      ${state.phase === 'failed' ? html`<failure-panel .failure=${state.failure!}></failure-panel>` : this.panels(state)}
      <notice-list .notices=${state.notices} @dismiss=${(event: CustomEvent<number>) => this.session.dismiss(event.detail)}
        @choose=${(event: CustomEvent<string>) => this.session.chooseArchitecture(event.detail)}></notice-list>
      <help-dialog .keys=${this.keys} @keys=${(event: CustomEvent<boolean>) => this.setKeys(event.detail)}></help-dialog>
      ${this.dropping ? html`<div class="drop" aria-hidden="true">Drop a picture or a network</div>` : nothing}
    `;
  }
}
