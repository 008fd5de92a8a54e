import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UnitscopeError } from '../../src/errors.ts';
import { findBrowser, launchArguments } from '../../src/node/browser.ts';

let server: Server;
let address = '';
const scratch = mkdtempSync(join(tmpdir(), 'unitscope-browser-'));

beforeAll(async () => {
  server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

test('a page has a WebGPU adapter, and its WebGPU canvas is in the screenshot', async () => {
  const { executable, environment } = findBrowser();
  const browser = await puppeteer.launch({
    executablePath: executable,
    headless: true,
    args: launchArguments(),
    env: { ...process.env, ...environment },
  });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    const limit = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      const device = await adapter?.requestDevice();
      return device?.limits.maxStorageBuffersPerShaderStage;
    });
    expect(limit).toBeGreaterThanOrEqual(8);

    await page.evaluate(drawTriangle);
    const picture = sharp(await page.screenshot({ clip: { x: 0, y: 0, width: 100, height: 100 } }));
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    const colour = (x: number, y: number) => [...data.subarray((y * info.width + x) * info.channels).subarray(0, 3)];
    expect({ corner: colour(5, 5), centre: colour(50, 60) }).toEqual({ corner: [255, 0, 0], centre: [0, 0, 255] });
  } finally {
    await browser.close();
  }
});

/** Runs in the page: a blue triangle on red, on a canvas of 100 x 100 at the upper left. */
async function drawTriangle(): Promise<void> {
  const canvas = document.body.appendChild(Object.assign(document.createElement('canvas'), { width: 100, height: 100 }));
  canvas.style.cssText = 'position: fixed; left: 0; top: 0';
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const format = navigator.gpu.getPreferredCanvasFormat();
  const code = `
    @vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
      let corners = array(vec2f(-0.8, -0.8), vec2f(0.8, -0.8), vec2f(0, 0.8));
      return vec4f(corners[i], 0, 1);
    }
    @fragment fn blue() -> @location(0) vec4f { return vec4f(0, 0, 1, 1); }`;
  const module = device.createShaderModule({ code });
  const pipeline = device.createRenderPipeline({ layout: 'auto', vertex: { module }, fragment: { module, targets: [{ format }] } });
  const context = canvas.getContext('webgpu')!;
  context.configure({ device, format });
  const encoder = device.createCommandEncoder();
  const view = context.getCurrentTexture().createView();
  const pass = encoder.beginRenderPass({ colorAttachments: [{ view, clearValue: [1, 0, 0, 1], loadOp: 'clear', storeOp: 'store' }] });
  pass.setPipeline(pipeline);
  pass.draw(3);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
}

function fakeBrowser(...path: string[]): string {
  const file = join(scratch, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  chmodSync(file, 0o755);
  return file;
}

test('a browser that is named comes first, and must exist', () => {
  const named = fakeBrowser('named', 'chrome');
  expect(findBrowser({ PUPPETEER_EXECUTABLE_PATH: named, PATH: join(scratch, 'bin') }).executable).toBe(named);
  const wrong = () => findBrowser({ PUPPETEER_EXECUTABLE_PATH: join(scratch, 'absent') });
  expect(wrong).toThrow(expect.objectContaining<Partial<UnitscopeError>>({ code: 'io' }));
});

test('a browser that puppeteer has installed is found', () => {
  const program = process.platform === 'win32' ? 'chrome.exe' : 'chrome';
  const chrome = fakeBrowser('cache', 'chrome', 'linux-150.0.1', 'chrome-linux64', program);
  expect(findBrowser({ PUPPETEER_CACHE_DIR: join(scratch, 'cache'), PATH: '' }).executable).toBe(chrome);
});
