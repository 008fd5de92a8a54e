/**
 * The procedural world as a film: one frame at a time, of any class, seed and second. The drawing of a class is made
 * when it is first asked for and kept, so that a frame costs one dispatch and the way of its pixels back.
 */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import { Runner } from '../scheduler/runner.ts';
import { checkScene, checkSceneSize, pictureOf, SCENE_SIZE, scenePlan, type SceneItem } from './scenes.ts';

export class SceneVideo {
  /** By class; those that are still being made too. */
  private readonly runners = new Map<number, Promise<Runner>>();
  private readonly made = new Set<Runner>();
  private disposed = false;

  /**
   * @param size side of the frames in pixels
   * @throws usage
   */
  constructor(
    readonly engine: Engine,
    readonly size = SCENE_SIZE,
  ) {
    checkSceneSize(size);
  }

  /**
   * Draws a frame. The same item is the same picture, byte by byte; frames may be asked for while others are on their way.
   * @throws usage (wrong class, seed or time; after `dispose`), shader, out-of-memory, device-lost
   */
  async frame(item: SceneItem): Promise<Image> {
    checkScene(item);
    const runner = await this.runner(item.class);
    this.alive();
    runner.write('seeds', Uint32Array.of(item.seed));
    runner.write('frames', Float32Array.of(item.time ?? 0));
    runner.run(['draw']);
    const { data } = await runner.read('images');
    return pictureOf(data, this.size, 0);
  }

  /** Compiles what draws a class, so that its first frame need not wait for it. @throws as `frame` */
  async prepare(number: number): Promise<void> {
    checkScene({ class: number, seed: 0 });
    await this.runner(number);
  }

  /** Frees the GPU memory; frames that are not drawn yet fail. Idempotent. */
  dispose(): void {
    this.disposed = true;
    for (const runner of this.made) runner.dispose();
  }

  private runner(number: number): Promise<Runner> {
    this.alive();
    const known = this.runners.get(number);
    if (known) return known;
    const making = this.make(number);
    this.runners.set(number, making);
    // What failed is tried again when it is next asked for.
    making.catch(() => this.runners.delete(number));
    return making;
  }

  private async make(number: number): Promise<Runner> {
    const runner = await Runner.create(this.engine, scenePlan(this.engine, { number, batch: 1, size: this.size, timed: true }));
    this.made.add(runner);
    if (this.disposed) runner.dispose();
    return runner;
  }

  private alive(): void {
    if (this.disposed) throw new UnitscopeError('usage', 'this film of scenes has been disposed');
  }
}
