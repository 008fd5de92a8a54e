/** A built viewer, served from this machine, in a headless browser; what a page must never do is written down. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { build, preview, type PreviewServer } from 'vite';
import { findBrowser, launchArguments } from '../../src/node/browser.ts';
import type { Classification, ImageProgress } from '../../src/index.ts';

export interface Viewer {
  readonly browser: Browser;
  readonly url: string;
  close(): Promise<void>;
}

export async function openViewer(): Promise<Viewer> {
  const outDir = mkdtempSync(join(tmpdir(), 'unitscope-viewer-'));
  await build({ logLevel: 'silent', build: { outDir, emptyOutDir: true } });
  const server: PreviewServer = await preview({ logLevel: 'silent', build: { outDir }, preview: { port: 0 } });
  const { executable, environment } = findBrowser();
  const browser = await puppeteer.launch({ executablePath: executable, headless: true, args: launchArguments(), env: { ...process.env, ...environment } });
  return {
    browser,
    url: server.resolvedUrls!.local[0]!,
    async close() {
      await browser.close();
      await server.close();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}

/** A new page, and a list that collects its faults: errors, violations of the content policy, requests elsewhere. */
export async function openPage({ browser, url }: Viewer): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage();
  const faults: string[] = [];
  await page.setViewport({ width: 1440, height: 900 });
  page.on('pageerror', (error) => faults.push(`error: ${(error as Error).message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(url)) faults.push(`request: ${request.url()}`);
  });
  await page.evaluateOnNewDocument(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return { page, faults };
}

/** What the app lets programs read; the functions given to `page.evaluate` see it. */
interface App extends HTMLElement {
  readonly session: {
    readonly state: {
      readonly phase: string;
      readonly layer: string;
      readonly unit: number;
      readonly pictureName: string;
      readonly seen?: { readonly data: Uint8ClampedArray };
      readonly scenes: { readonly phase: string; readonly drawn: string; readonly answered: boolean };
      readonly classes: readonly Classification[];
      readonly ranges: readonly unknown[];
      readonly notices: readonly { readonly kind: string; readonly title: string; readonly text: string; readonly code?: string; readonly where?: string }[];
      readonly network?: { readonly network: { readonly name: string } };
      readonly climb: { readonly phase: string; readonly step: number; readonly latest?: ImageProgress; readonly scores: readonly number[] };
    };
    readonly climb: { readonly maximizer?: { readonly runner: { read(name: string): Promise<{ readonly data: Float32Array }> } } };
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'unitscope-app': App;
  }
}

/** Waits until the app's attribute counts at least `step`. */
export async function steps(page: Page, step: number): Promise<void> {
  await page.waitForFunction((least) => Number(document.querySelector('unitscope-app')!.getAttribute('step')) >= least, { timeout: 60_000 }, step);
}

/** Drops a file on the page, as a person would. */
export function drop(page: Page, name: string, type: string, bytes: readonly number[]): Promise<void> {
  return page.evaluate(
    (fileName, fileType, content) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(content)], fileName, { type: fileType }));
      const target = document.querySelector('unitscope-app')!;
      target.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true }));
      target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    name,
    type,
    [...bytes],
  );
}
