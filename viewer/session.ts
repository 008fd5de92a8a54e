/**
 * What the page knows and does: one state that components read, and the actions that change it. It drives the engine
 * through its public interface and tells of every change with a `change` event.
 */
import {
  ascentSettings, checkPreprocess, deprocess, Display, LiveView, loadNetwork, preprocess, PRESETS, similarArchitectures, UnitscopeError,
  type AscentSettings, type Engine, type Image, type NamedFile, type Preprocess, type Recipe, type Surface,
} from '../src/index.ts';
import { Camera } from './camera.ts';
import { chooseLayer, clampUnit, noUnit } from './choice.ts';
import { Climb } from './climb.ts';
import { embeddedPreset, EXAMPLES } from './embedded.ts';
import { fetchBytes } from './fetch_bytes.ts';
import { writeLink } from './link.ts';
import { openEngine } from './open_engine.ts';
import { decodePicture } from './picture.ts';
import { hashOf, recipeOf, unitOf } from './recipe_file.ts';
import { watchEngine } from './recovery.ts';
import { Scenes } from './scenes.ts';
import { Stage, type Place } from './stage.ts';
import { noticeOf, START, type LoadedNetwork, type Notice, type State } from './state.ts';

const MOST_NOTICES = 3;

export class Session extends EventTarget {
  state: State = START;
  readonly climb = new Climb(START.settings, (climb) => this.onClimb(climb), (error) => this.report(error));
  readonly camera = new Camera(
    (image) => this.show(image, 'camera'),
    () => Math.max(...(this.live?.inputShape.slice(2) ?? [224])),
    (camera) => this.update({ camera }),
  );
  readonly scenes = new Scenes(
    (image, name) => this.show(image, name),
    () => this.engine && this.live && { engine: this.engine, side: Math.max(...this.live.inputShape.slice(2)) },
    (scenes) => this.update({ scenes }),
    (error) => this.report(error),
  );
  readonly stage = new Stage((place, surface) => this.paint(place, surface), (error) => this.report(error));
  engine: Engine | undefined;
  live: LiveView | undefined;
  private display: Display | undefined;
  private picture: Image | undefined;
  private pumping: Promise<void> | undefined;
  private again = false;
  private notices = 0;
  /** Weights whose architecture a person is asked for. */
  private nameless: readonly NamedFile[] = [];

  /** The engine and all that hangs on it; after a loss once more. */
  async open(): Promise<void> {
    this.engine = await openEngine((busy) => this.update({ busy }));
    this.display = new Display(this.engine);
    watchEngine(this.engine, {
      young: () => (this.stage.mode = 'readback'),
      reopen: () => this.reopen(),
      fail: (loss) => this.fail(loss),
    });
    this.update({ software: this.engine.adapter.software, adapter: Object.values(this.engine.adapter).filter((word) => typeof word === 'string' && word).join(' ') });
    await this.stage.open(this.engine);
  }

  /** A device was lost: everything that lived on it is made again, from what the state says. */
  async reopen(): Promise<void> {
    const { network, layer, unit } = this.state;
    try {
      await this.climb.aim(undefined);
      this.live = undefined;
      await this.open();
      if (network) await this.use(network, layer, unit);
      this.notify({ kind: 'info', title: 'The GPU was lost and is back', text: 'The preferred input starts over; everything else is as it was.' });
    } catch (error) {
      this.fail(error);
    }
  }

  /** A network from files; the one before stays if it cannot be loaded. The architecture is that of files which hold weights alone. */
  async loadFiles(files: readonly NamedFile[], architecture?: string): Promise<void> {
    this.update({ busy: 'Loading the network' });
    this.nameless = [];
    try {
      const network = await loadNetwork(files, architecture === undefined ? {} : { architecture });
      await this.use({ network, hash: await hashOf(files), embedded: false });
      // In one message: only so many of them are kept.
      if (network.notes) this.notify({ kind: 'info', title: network.name, text: network.notes.join('\n') });
    } catch (error) {
      const choices = error instanceof UnitscopeError && error.code === 'model-unsupported' ? similarArchitectures(files) : [];
      if (choices.length === 0) return this.report(error);
      this.nameless = files;
      this.notify({ ...noticeOf(error), choices });
    } finally {
      this.update({ busy: '' });
    }
  }

  /** Loads the weights that were asked about as those of an architecture. */
  async chooseArchitecture(architecture: string): Promise<void> {
    if (this.nameless.length > 0) await this.loadFiles(this.nameless, architecture);
  }

  /** Shows a network: the last layer with maps, unless told. */
  async use(loaded: LoadedNetwork, layer?: string, unit = 0): Promise<void> {
    const live = await LiveView.create(this.engine!, loaded.network, { progressive: true });
    const before = this.live;
    await this.pumping?.catch(() => undefined);
    this.live = live;
    before?.dispose();
    const { layers } = live;
    const chosen = chooseLayer(layers, layer);
    const inside = clampUnit(unit, chosen.shape[0]);
    if (inside !== unit) this.notify(noUnit(chosen, unit));
    const known = loaded.network === this.state.network?.network;
    const given = known ? this.state.preprocess : loaded.network.preprocess;
    this.update({ phase: 'ready', network: loaded, layers, preprocess: given, classes: [], seen: undefined, ranges: [], layer: chosen.name, unit: inside });
    if (!known) this.setPreset(this.state.preset);
    this.stage.redraw('grid', 'map');
    void this.look();
    void this.unfold(live);
    this.aim();
  }

  /** While kernels are compiled: shows what can be shown already, until everything can. */
  private async unfold(live: LiveView): Promise<void> {
    await this.attempt(async () => {
      for await (const shown of live.unfold()) {
        if (live !== this.live) return;
        this.update({ busy: `Compiling: ${shown} of ${live.layers.length} layers can be shown` });
        live.watch(this.state.layer);
        this.stage.redraw('grid', 'map');
        await this.answer(live, this.state.layer);
      }
    });
    if (live === this.live) this.update({ busy: '' });
  }

  /** Another way of feeding pictures to the network. */
  setPreprocess(next: Preprocess): void {
    this.update({ preprocess: next });
    void this.look();
    this.aim();
  }

  async showExample(name: string): Promise<void> {
    const example = EXAMPLES.find((candidate) => candidate.name === name);
    if (!example) return;
    await this.attempt(async () => this.openPicture(await fetchBytes(example.url), name, true));
  }

  async showFile(file: File): Promise<void> {
    await this.attempt(async () => this.openPicture(new Uint8Array(await file.arrayBuffer()), file.name, false));
  }

  private async openPicture(bytes: Uint8Array<ArrayBuffer>, name: string, example: boolean): Promise<void> {
    const recipe = example ? undefined : recipeOf(bytes);
    if (recipe && this.follow(recipe)) return;
    const image = await decodePicture(bytes, name);
    this.camera.stop();
    this.scenes.stop();
    await this.show(image, name, example);
  }

  /** Goes back to what a picture was made of; false where it is not of this network. */
  private follow(recipe: Recipe): boolean {
    const unit = unitOf(recipe, this.state.network);
    if ('title' in unit) {
      this.notify(unit);
      return false;
    }
    const { units, settings, seed } = recipe;
    const { preprocess: fed } = settings as { preprocess?: Preprocess };
    if (fed !== undefined) {
      checkPreprocess(fed);
      this.setPreprocess(fed);
    }
    const followed = ascentSettings(settings as Partial<AscentSettings>);
    this.update({ settings: followed, seed });
    this.climb.set(followed);
    this.setLayer(unit.layer, unit.channel);
    this.notify({ kind: 'info', title: 'This picture carries its recipe', text: `Making ${units[0]} with seed ${seed} again.` });
    return true;
  }

  /** Shows the network a picture; done when its answer has arrived. */
  private async show(image: Image, name: string, example = false): Promise<void> {
    this.picture = image;
    if (this.state.pictureName !== name) this.update({ pictureName: name, example: example ? name : undefined });
    await this.look();
  }

  /** Feeds the picture to the network. Pictures that come while it is busy are passed over for the latest. */
  private look(): Promise<void> {
    this.again = true;
    this.pumping ??= this.pump().finally(() => (this.pumping = undefined));
    return this.pumping;
  }

  private async pump(): Promise<void> {
    while (this.again) {
      this.again = false;
      const { live, picture } = this;
      const { layer, preprocess: recipe } = this.state;
      if (!live || !picture || !recipe) return;
      try {
        const x = preprocess(picture, recipe, live.inputShape);
        live.show(x, layer);
        this.update({ seen: deprocess(x, recipe) });
        this.stage.redraw('grid', 'map');
        await this.answer(live, layer);
      } catch (error) {
        this.report(error);
      }
    }
  }

  /** Takes what the network says to the picture, and the ranges of a layer. */
  private async answer(live: LiveView, layer: string): Promise<void> {
    const { classes, ranges } = await live.report(layer);
    if (live === this.live) this.update({ classes, ...(layer === this.state.layer && { ranges }) });
  }

  setLayer(layer: string, unit = 0): void {
    const info = this.state.layers.find(({ name }) => name === layer);
    if (!info || !this.live) return;
    this.update({ layer, unit: clampUnit(unit, info.shape[0]), ranges: [] });
    void this.look();
    this.aim();
  }

  setUnit(unit: number): void {
    if (unit === this.state.unit) return;
    this.update({ unit });
    this.stage.redraw('map');
    this.aim();
  }

  setSeed(seed: number): void {
    this.update({ seed });
    this.aim();
  }

  setPreset(preset: 1 | 2 | 3 | 4): void {
    const settings = this.state.network?.embedded === false ? PRESETS[preset] : embeddedPreset(preset);
    this.update({ preset, settings });
    this.climb.set(settings);
    this.writeLink();
  }

  setSettings(changes: Partial<AscentSettings>): void {
    void this.attempt(async () => {
      const settings = ascentSettings({ ...this.state.settings, ...changes });
      this.update({ settings });
      this.climb.set(settings);
    });
  }

  setColors(colors: Partial<State['colors']>): void {
    this.update({ colors: { ...this.state.colors, ...colors } });
    this.stage.redraw('grid', 'map');
  }

  setGridLayout(gridLayout: State['gridLayout']): void {
    this.update({ gridLayout });
    this.stage.redraw('grid');
  }

  dismiss(id: number): void {
    this.update({ notices: this.state.notices.filter((notice) => notice.id !== id) });
    if (!this.state.notices.some(({ choices }) => choices)) this.nameless = [];
  }

  notify(notice: Omit<Notice, 'id'>): void {
    const others = this.state.notices.filter(({ title, text }) => title !== notice.title || text !== notice.text);
    this.update({ notices: [...others, { ...notice, id: ++this.notices }].slice(-MOST_NOTICES) });
  }

  /** An error that the program survives. A lost device is no news here: whoever watches the engine acts on it. */
  report(error: unknown): void {
    if (error instanceof UnitscopeError && (error.code === 'device-lost' || error.code === 'aborted')) return;
    this.notify(noticeOf(error));
  }

  /** An error that it does not. */
  fail(error: unknown): void {
    this.scenes.stop();
    this.update({ phase: 'failed', failure: noticeOf(error), notices: [] });
  }

  private async attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.report(error);
    }
  }

  private aim(): void {
    const { network, preprocess: recipe, layer, unit, seed } = this.state;
    this.writeLink();
    const { engine } = this;
    const target = engine && network && recipe ? { engine, network: network.network, preprocess: recipe, layer, channel: unit, seed } : undefined;
    void this.climb.aim(target);
  }

  private onClimb(climb: State['climb']): void {
    this.update({ climb });
    this.stage.redraw('image');
  }

  private async paint(place: Place, surface: Surface): Promise<void> {
    const { display, live, climb: { maximizer } } = this;
    const { layer, unit, colors, gridLayout } = this.state;
    if (!display || display.engine !== surface.engine) return;
    if (place === 'image' && maximizer) await display.drawImage(surface, maximizer);
    else if (place !== 'image' && live?.shows(layer) && this.state.seen && live.runner.engine === surface.engine) {
      if (place === 'map') await display.drawMap(surface, live, layer, unit, colors);
      else if (gridLayout.cell > 0) await display.drawGrid(surface, live, layer, colors, gridLayout);
    } else await surface.draw(() => undefined); // nothing to show is better than what is no more
  }

  private writeLink(): void {
    const { network, layer, unit, preset, seed, example } = this.state;
    if (!network) return;
    const model = network.embedded ? undefined : network.network.name;
    history.replaceState(null, '', writeLink({ model, layer, unit, preset, seed, example }));
  }

  private update(changes: Partial<State>): void {
    this.state = { ...this.state, ...changes };
    this.dispatchEvent(new Event('change'));
  }
}
