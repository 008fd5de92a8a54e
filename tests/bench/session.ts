/** One headless browser with the page of the benchmark: started with a job, asked now and then how far it is. */
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { build } from 'vite';
import { findBrowser, launchArguments } from '../../src/node/browser.ts';
import type { Bench } from './page/page.ts';
import { ORT_FILES } from './peers/ort_files.ts';
import type { Job, Machine, Progress, RowRecord } from './record.ts';
import { FILES } from './network_rows.ts';
import { serve, type Serving } from './server.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Where the networks with trained weights are. */
const dataFolder = (): string => resolve(ROOT, process.env.UNITSCOPE_DATA ?? '../shared/data');

/** Between two questions to the page, ms. Each is answered at once, however long the work takes. */
const INTERVAL = 500;

export interface Site extends Serving {
  readonly folder: string;
}

/** Builds the page into `folder` and serves it with the files that it loads. */
export async function openSite(folder: string): Promise<Site> {
  await build({
    configFile: false,
    root: join(import.meta.dirname, 'page'),
    base: './',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, target: 'es2023', minify: false, chunkSizeWarningLimit: 1e5 },
  });
  const serving = await serve({
    '/': folder,
    [ORT_FILES]: join(ROOT, 'node_modules/onnxruntime-web/dist'),
    [FILES.embedded]: join(ROOT, 'models/embedded'),
    [FILES.data]: dataFolder(),
  });
  return { ...serving, folder };
}

export interface Result {
  readonly rows: readonly RowRecord[];
  readonly machine: Machine | undefined;
  readonly browser: string;
  /** Why the page could not go on. */
  readonly fault?: string;
}

async function launch(): Promise<Browser> {
  const { executable, environment } = findBrowser();
  return puppeteer.launch({
    executablePath: executable,
    headless: true,
    args: launchArguments(),
    env: { ...process.env, ...environment },
    // The page answers at once, but not while it converts weights.
    protocolTimeout: 600_000,
  });
}

/** A browser whose page has died may not close when it is asked to. */
async function end(browser: Browser): Promise<void> {
  const closed = browser.close().then(() => true, () => true);
  if (!(await Promise.race([closed, sleep(5000, false)]))) browser.process()?.kill('SIGKILL');
}

const poll = (page: Page, from: number): Promise<Progress> =>
  page.evaluate((n) => (globalThis as unknown as { bench: Bench }).bench.poll(n), from);

/** Runs the job in a browser of its own. A page that dies leaves what it had finished, and the reason. */
export async function runJob(site: Site, job: Job, said: (current: string, done: readonly RowRecord[]) => void): Promise<Result> {
  const rows: RowRecord[] = [];
  let machine: Machine | undefined;
  const browser = await launch();
  const version = await browser.version();
  try {
    const page = await browser.newPage();
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(String(error)));
    page.on('console', (entry) => entry.type() === 'error' && trouble.push(entry.text()));
    // A question to a page that has crashed is never answered.
    const crash = new Promise<never>((_, reject) => page.on('error', reject));
    crash.catch(() => undefined);
    await page.goto(site.address);
    const started = await page.evaluate((wanted) => {
      const { bench } = globalThis as unknown as { bench?: Bench };
      bench?.start(wanted);
      return bench !== undefined;
    }, job as never);
    if (!started) return { rows, machine, browser: version, fault: `the page did not start: ${trouble.join('; ')}` };
    for (;;) {
      await sleep(INTERVAL);
      const progress = await Promise.race([poll(page, rows.length), crash]);
      rows.push(...progress.rows);
      machine ??= progress.machine;
      said(progress.current, progress.rows);
      if (progress.done) return { rows, machine, browser: version, ...(progress.fault && { fault: progress.fault }) };
    }
  } catch (error) {
    return { rows, machine, browser: version, fault: `the page died: ${(error as Error).message}` };
  } finally {
    await end(browser);
  }
}
