/**
 * Moving scenes as a source of frames, as the camera is one: drawn on the GPU, of a class that is known, so that a
 * person sees whether the network is right. Every few seconds another class.
 */
import { SceneVideo, SCENE_CLASSES, SCENE_SIZES, TRAINING_SEEDS, UnitscopeError, type Classification, type Engine, type Image } from '../src/index.ts';

/** How long a scene lasts, in seconds. */
const LASTS = 4;
/** Between two frames a scene moves on by this much at most, in seconds: where frames are slow or nobody looked, it does not jump. */
const MOST_STEP = 0.25;
/** Networks with a larger input see the frames enlarged. */
const MOST_SIDE = 256;

export interface ScenesState {
  readonly phase: 'off' | 'live' | 'frozen';
  /** The class of the scene that is shown; empty where none is. */
  readonly drawn: string;
  /** The network has answered to this scene: what it says is not about the picture before. */
  readonly answered: boolean;
}

export const NO_SCENES: ScenesState = { phase: 'off', drawn: '', answered: false };

/** What the frames are drawn on, and the longer side of the network's input. */
interface Target {
  readonly engine: Engine;
  readonly side: number;
}

interface Scene {
  readonly class: number;
  readonly seed: number;
  /** Seconds since its first frame. */
  readonly time: number;
}

export class Scenes {
  state = NO_SCENES;
  private video: SceneVideo | undefined;
  private scene: Scene = { class: -1, seed: 0, time: 0 };
  /** No frame of the scene has been shown yet. */
  private fresh = true;
  /** Numbers of the classes to come: each comes once before one comes again. */
  private deck: number[] = [];
  private timer = 0;
  private session = 0;
  private last = 0;

  /**
   * @param frame takes a frame; the next one is drawn when its promise is done.
   * @param target where and how large to draw; nothing while nobody could look.
   * @param failed told why it has stopped.
   */
  constructor(
    private readonly frame: (image: Image, name: string) => Promise<void>,
    private readonly target: () => Target | undefined,
    private readonly changed: (state: ScenesState) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.stop();
    this.set({ phase: 'live' });
    this.next();
    this.wait(this.session);
  }

  /** Holds the current frame, or goes on. */
  freeze(): void {
    if (this.state.phase !== 'off') this.set({ phase: this.state.phase === 'live' ? 'frozen' : 'live' });
  }

  /** Another scene, of another class; while frozen, its first frame. */
  next(): void {
    if (this.state.phase === 'off') return;
    this.scene = { class: this.upcoming(), seed: Math.floor(Math.random() * TRAINING_SEEDS), time: 0 };
    this.deck.pop();
    this.fresh = true;
  }

  stop(): void {
    this.session++;
    cancelAnimationFrame(this.timer);
    this.video?.dispose();
    this.video = undefined;
    if (this.state.phase !== 'off') this.set(NO_SCENES);
  }

  /** The class of the scene after this one. */
  private upcoming(): number {
    if (this.deck.length === 0) this.deck = shuffled(SCENE_CLASSES.length, this.scene.class);
    return this.deck.at(-1)!;
  }

  // Animation frames rest while the tab is hidden.
  private wait(session: number): void {
    this.timer = requestAnimationFrame((now) => void this.take(session, now));
  }

  private async take(session: number, now: number): Promise<void> {
    const passed = Math.min(MOST_STEP, (now - this.last) / 1000);
    this.last = now;
    const target = this.target();
    try {
      if (target && (this.fresh || this.state.phase === 'live')) await this.draw(session, target, this.fresh ? 0 : passed);
    } catch (error) {
      // A lost GPU comes back, or the page says that it does not.
      if (session === this.session && !(error instanceof UnitscopeError && error.code === 'device-lost')) {
        this.stop();
        this.failed(error);
      }
    }
    if (session === this.session) this.wait(session);
  }

  private async draw(session: number, target: Target, passed: number): Promise<void> {
    this.scene = { ...this.scene, time: this.scene.time + passed };
    if (this.scene.time >= LASTS) this.next();
    const { scene } = this;
    const gone = (): boolean => session !== this.session || scene !== this.scene;
    const video = this.film(target);
    const image = await video.frame(scene);
    if (gone()) return;
    const { fresh } = this;
    const drawn = SCENE_CLASSES[scene.class]!;
    this.fresh = false;
    if (fresh) this.set({ drawn, answered: false });
    await this.frame(image, `drawn ${drawn}`);
    if (!fresh || gone()) return;
    this.set({ answered: true });
    video.prepare(this.upcoming()).catch(() => undefined); // its first frame tells
  }

  /** Kept as long as it fits. */
  private film({ engine, side }: Target): SceneVideo {
    const size = Math.min(MOST_SIDE, Math.max(SCENE_SIZES.least, side));
    if (this.video?.engine === engine && this.video.size === size) return this.video;
    this.video?.dispose();
    return (this.video = new SceneVideo(engine, size));
  }

  private set(changes: Partial<ScenesState>): void {
    this.state = { ...this.state, ...changes };
    this.changed(this.state);
  }
}

/** 0 .. count - 1 in a random order; the last one, which is the first to be taken, is not `before`. */
function shuffled(count: number, before: number): number[] {
  const numbers = Array.from({ length: count }, (_, number) => ({ number, at: number === before ? -1 : Math.random() }));
  return numbers.sort((a, b) => a.at - b.at).map(({ number }) => number);
}

/** Whether the network is right about the scene; 'unknown' where it has no such class, nothing while it has not answered. */
export function verdictOf({ drawn, answered }: ScenesState, classes: readonly Classification[], labels: readonly string[] | undefined): 'right' | 'wrong' | 'unknown' | undefined {
  if (!answered || !classes[0]) return undefined;
  if (!labels?.includes(drawn)) return 'unknown';
  return classes[0].label === drawn ? 'right' : 'wrong';
}
