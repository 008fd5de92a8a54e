/** What the page keeps of measured kernels, in a real browser's database, and that it can do without. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build, type Rolldown } from 'vite';
import { emptyRecord, KERNELS_VERSION, type KernelRecord } from '../../src/index.ts';
import { findBrowser, launchArguments } from '../../src/node/browser.ts';
import type { BrowserKernelStore } from '../../viewer/kernel_store.ts';

/** What the test's page has in place of the viewer. */
declare global {
  var store: BrowserKernelStore;
}

let browser: Browser;
let server: Server;
let url = '';

beforeAll(async () => {
  const lib = { entry: join(import.meta.dirname, '../../viewer/kernel_store.ts'), formats: ['es' as const] };
  const [bundle] = (await build({ configFile: false, logLevel: 'silent', build: { lib, write: false, minify: false } })) as Rolldown.RolldownOutput[];
  const script = bundle!.output[0].code;
  const page = '<!doctype html><script type="module">import { BrowserKernelStore } from "./store.js"; globalThis.store = new BrowserKernelStore();</script>';
  server = createServer(({ url: path }, response) => {
    response.setHeader('content-type', path === '/store.js' ? 'text/javascript' : 'text/html').end(path === '/store.js' ? script : page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { executable, environment } = findBrowser();
  browser = await puppeteer.launch({ executablePath: executable, headless: true, args: launchArguments(), env: { ...process.env, ...environment } });
});

afterAll(async () => {
  await browser.close();
  server.close();
});

/** A new page with a store; `before` runs first. */
async function open(before: () => void = () => undefined): Promise<Page> {
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(before);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.store !== undefined);
  return page;
}

const record = (adapter: string): KernelRecord => ({ ...emptyRecord(adapter), factors: { direct: 1, shared: 0.5 }, measured: { shape: { variant: 'direct', times: { direct: 1 } } } });

test('a record is there on the next visit, until it is cleared', async () => {
  const first = await open();
  expect(await first.evaluate(() => store.load('a'))).toBeUndefined();
  await first.evaluate((...records) => Promise.all(records.map((one) => store.save(one))), record('a'), record('b'));
  await first.close();
  const second = await open();
  expect(await second.evaluate(() => store.load('a'))).toEqual(record('a'));
  expect(await second.evaluate(() => store.list())).toEqual([record('a'), record('b')]);
  await second.evaluate(() => store.clear('a'));
  expect(await second.evaluate(() => store.list())).toEqual([record('b')]);
  await second.close();
});

test('what somebody else left in its place is nothing', async () => {
  const page = await open();
  const odd = { ...record('c'), version: KERNELS_VERSION + 1 };
  await page.evaluate(async (...records) => {
    for (const one of records) await store.save(one as never);
  }, { ...odd, adapter: 'c' }, { ...record('d'), factors: { shared: -1 } });
  expect(await page.evaluate(() => Promise.all(['c', 'd'].map((adapter) => store.load(adapter))))).toEqual([null, null]); // undefined, on its way here
  await page.close();
});

test('where the browser denies its storage, nothing is kept and nothing fails', async () => {
  const page = await open(() => Object.defineProperty(globalThis, 'indexedDB', { get: () => { throw new DOMException('denied', 'SecurityError'); } }));
  await page.evaluate((one) => store.save(one), record('e'));
  expect(await page.evaluate(() => store.load('e'))).toBeUndefined();
  expect(await page.evaluate(() => store.list())).toEqual([]);
  await page.close();
});
