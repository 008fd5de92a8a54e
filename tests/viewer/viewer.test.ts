/** The page end to end: what a person does in the first minutes, and what may go wrong. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectureCalled } from '../../src/formats/architectures/weights.ts';
import { SCENE_CLASSES } from '../../src/index.ts';
import { fileOf, tensorsOf } from '../formats/architectures/files.ts';
import { onnxModel, op } from '../formats/onnx-builder.ts';
import { drop, openPage, openViewer, steps, type Viewer } from './page.ts';

let viewer: Viewer;
beforeAll(async () => {
  viewer = await openViewer();
});
afterAll(() => viewer?.close());

/** Parts of the state, which is plain data. */
const look = (page: Page) =>
  page.evaluate(() => {
    const { phase, layer, unit, classes, pictureName, notices, climb, network } = document.querySelector('unitscope-app')!.session.state;
    return { phase, layer, unit, classes, pictureName, notices, climb, network: network?.network.name };
  });

/** A tensor of the climb: the picture as it is, or its start. */
const read = (page: Page, name: string) =>
  page.evaluate(async (tensor) => Array.from((await document.querySelector('unitscope-app')!.session.climb.maximizer!.runner.read(tensor)).data), name);

const press = (page: Page, selector: string) => page.locator(`unitscope-app >>> ${selector}`).click();
const fish = [...readFileSync('models/embedded/examples/fish.png')];

describe('the page', () => {
  let page: Page;
  let faults: string[];
  beforeAll(async () => {
    ({ page, faults } = await openPage(viewer));
    await page.goto(viewer.url);
    await steps(page, 2);
  });
  // A page that climbs in the background takes the GPU from the next ones.
  afterAll(() => page.close());

  test('opens on a picture, its classes, and a unit whose preferred input is forming', async () => {
    const { phase, classes, climb, pictureName } = await look(page);
    expect({ phase, running: climb.phase, classes: classes.length, pictureName }).toEqual({ phase: 'ready', running: 'running', classes: 5, pictureName: 'flower' });
    expect(classes[0]!.label).toBe('flower');
  });

  test('takes a dropped picture', async () => {
    await drop(page, 'my fish.png', 'image/png', fish);
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.classes[0]?.label === 'fish');
    expect((await look(page)).pictureName).toBe('my fish.png');
  });

  test('chooses a layer and a unit by click', async () => {
    await press(page, '[data-layer="conv2"]');
    await press(page, '[data-unit="7"]');
    const { layer, unit } = await look(page);
    expect({ layer, unit }).toEqual({ layer: 'conv2', unit: 7 });
    expect(new URL(page.url()).hash).toMatch(/layer=conv2&unit=7/);
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.ranges.length === 64);
    await steps(page, 1);
  });

  test('forms the unit’s preferred input: it changes for 20 steps and its activation rises', async () => {
    const start = await read(page, 'start');
    await steps(page, 20);
    const { climb } = await look(page);
    expect(climb.scores.at(-1)).toBeGreaterThan(climb.scores[0]!);
    const image = await read(page, 'image');
    expect(image.every(Number.isFinite)).toBe(true);
    expect(image.filter((value, i) => value !== start[i]).length).toBeGreaterThan(image.length / 20);
  });

  test('a regularizer acts while it runs', async () => {
    // The picture must have grown well above what one step adds, or decay has nothing to take.
    await steps(page, (await look(page)).climb.step + 50);
    const before = (await look(page)).climb;
    expect(before.phase).toBe('running');
    await page.locator('unitscope-app >>> #decay').fill('0.9');
    // Slices that are on their way still run with the old settings: the faster a step, the more steps they hold.
    await steps(page, before.step + 50);
    const { climb } = await look(page);
    expect(climb.phase).toBe('running');
    expect(climb.latest!.norm).toBeLessThan(before.latest!.norm * 0.9);
  });

  test('pause holds the picture, reset goes back to its start', async () => {
    await press(page, 'unit-panel >>> button.primary');
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.climb.phase === 'paused');
    const { climb } = await look(page);
    const held = await read(page, 'image');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await look(page)).climb.step).toBe(climb.step);
    expect(await read(page, 'image')).toEqual(held);
    await press(page, 'unit-panel >>> button:nth-of-type(2)');
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.climb.step === 0);
    expect(await read(page, 'image')).toEqual(await read(page, 'start'));
  });

  test('a file that is no network says so, and nothing is lost', async () => {
    await drop(page, 'broken.onnx', '', [0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.notices.length > 0);
    const { notices, network, layer } = await look(page);
    expect(notices.at(-1)).toMatchObject({ kind: 'error', code: expect.stringMatching(/^model-/) as string });
    expect(notices.at(-1)!.where).toContain('broken.onnx');
    expect({ network, layer }).toEqual({ network: 'embedded', layer: 'conv2' });
    await press(page, 'notice-list >>> button');
    expect((await look(page)).notices).toEqual([]);
  });

  test('many long messages stay within the page, the newest in sight', async () => {
    for (let i = 1; i <= 3; i++) {
      const nodes = Array.from({ length: 40 }, (_, node) => op(`Odd${i}`, {}, ['x'], [`y${node}`]));
      const bytes = onnxModel({ nodes, inputs: { x: [1, 3, 4, 4] }, outputs: ['y0'] });
      await drop(page, `odd${i}.onnx`, '', [...bytes]);
      await page.waitForFunction((count) => document.querySelector('unitscope-app')!.session.state.notices.length === count, {}, i);
    }
    const boxes = await page.evaluate(async () => {
      await new Promise(requestAnimationFrame);
      const list = document.querySelector('unitscope-app')!.shadowRoot!.querySelector('notice-list')!;
      return [list, [...list.shadowRoot!.querySelectorAll('article')].at(-1)!].map((element) => [element.getBoundingClientRect().top, innerHeight - element.getBoundingClientRect().bottom]);
    });
    expect(Math.min(...boxes.flat())).toBeGreaterThanOrEqual(0);
    for (let i = 0; i < 3; i++) await press(page, 'notice-list >>> article:last-child button');
    expect((await look(page)).notices).toEqual([]);
  });

  test('moving scenes come from the menu, move, and tell their class', async () => {
    const shown = () =>
      page.evaluate(() => {
        const { seen, scenes } = document.querySelector('unitscope-app')!.session.state;
        const panel = document.querySelector('unitscope-app')!.shadowRoot!.querySelector('input-panel')!.shadowRoot!;
        return { ...scenes, text: panel.querySelector('.drawn')?.textContent ?? '', verdict: panel.querySelector('[data-verdict]') !== null, pixels: seen!.data.join() };
      });
    const answered = (other = '') =>
      page.waitForFunction((before) => {
        const { drawn, answered } = document.querySelector('unitscope-app')!.session.state.scenes;
        return answered && drawn !== before;
      }, {}, other);
    await press(page, 'input-panel >>> [data-source="scenes"]');
    await answered();
    const first = await shown();
    expect(SCENE_CLASSES).toContain(first.drawn);
    expect(first).toMatchObject({ phase: 'live', verdict: true, text: expect.stringContaining(first.drawn) as string });
    await page.waitForFunction((before) => document.querySelector('unitscope-app')!.session.state.seen!.data.join() !== before, {}, first.pixels);
    await page.keyboard.press('f');
    const { drawn } = await shown();
    await press(page, 'input-panel >>> [data-next]');
    await answered(drawn);
    const held = await shown();
    expect(held).toMatchObject({ phase: 'frozen' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await shown()).toEqual(held);
    await page.keyboard.press('v');
    expect(await shown()).toMatchObject({ phase: 'off', text: '', pixels: held.pixels });
  });

  test('keys alone are enough', async () => {
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('o');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('j');
    expect(await look(page)).toMatchObject({ layer: 'relu2', unit: 1 });
    await page.keyboard.press('u');
    await page.keyboard.press('w');
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.pictureName === 'snail');
    await page.keyboard.press('p');
    await steps(page, 2);
    expect(await look(page)).toMatchObject({ layer: 'conv2', climb: { phase: 'running' } });
    await page.keyboard.press('?');
    await page.waitForSelector('unitscope-app >>> dialog[open]');
    await page.keyboard.press('Escape');
  });

  test('breaks no rule: no error, no violation of the content policy, no request elsewhere', async () => {
    // Held: a software GPU that climbs takes a screenshot in half a minute.
    await page.keyboard.press('p');
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.climb.phase === 'paused');
    await page.screenshot({ path: join(tmpdir(), 'unitscope-viewer.png') });
    await page.keyboard.press('p');
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.climb.phase === 'running');
    expect(faults).toEqual([]);
  });

  test('a lost GPU comes back by itself, and everything is where it was', async () => {
    const { layer, unit } = await look(page);
    const session = await viewer.browser.target().createCDPSession();
    session.send('Browser.crashGpuProcess').catch(() => undefined);
    await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.notices.some(({ title }) => /is back/.test(title)), { timeout: 30_000 });
    await steps(page, 2);
    expect(await look(page)).toMatchObject({ phase: 'ready', layer, unit });
  });
});

test('weights alone are taken for what their tensors are; where they are not quite that, one is asked', async () => {
  const { page, faults } = await openPage(viewer);
  await page.goto(viewer.url);
  await steps(page, 1);
  await page.keyboard.press('p');
  const tensors = tensorsOf(architectureCalled('resnet20'), 10);
  await drop(page, 'changed.safetensors', '', [...fileOf(new Map([...tensors].slice(1)))]);
  await press(page, 'notice-list >>> [data-choice="resnet20"]');
  await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.notices.some(({ code }) => code === 'model-invalid'));
  const { notices, network } = await look(page);
  expect(notices).toMatchObject([{ text: "the tensors are not those of resnet20: 1 missing\n  - missing: 'conv1.weight' [16,3,3,3]" }]);
  expect(network).toBe('embedded');
  await drop(page, 'whole.safetensors', '', [...fileOf(tensors)]);
  await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.network?.network.name === 'resnet20');
  await page.waitForFunction(() => document.querySelector('unitscope-app')!.session.state.notices.some(({ text }) => /^the tensors are those of resnet20\nthe preprocessing is that of the CIFAR-10 weights/.test(text)));
  expect(await look(page)).toMatchObject({ phase: 'ready', layer: 'layer3.2.conv2' });
  expect(faults).toEqual([]);
  await page.close();
});

test('without WebGPU there is a page that says so', async () => {
  const { page, faults } = await openPage(viewer);
  await page.evaluateOnNewDocument(() => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined }));
  await page.goto(viewer.url);
  await page.waitForSelector('unitscope-app >>> failure-panel >>> section[data-code="no-webgpu"]');
  expect(faults).toEqual([]);
  await page.close();
});

test('a link opens its view, and what is wrong in it is told', async () => {
  const { page } = await openPage(viewer);
  await page.goto(`${viewer.url}#layer=conv3&unit=5000&seed=-1&example=eye&evil=%3Cimg%20src%3Dx%3E`);
  await steps(page, 1);
  expect(await look(page)).toMatchObject({ layer: 'conv3', unit: 95, pictureName: 'eye' });
  const text = JSON.stringify((await look(page)).notices);
  expect(text).toContain('seed=-1');
  expect(text).toContain('no unit 5000');
  await page.close();
});
