/** The pages that commands write: everything from outside is text, and the page of a search answers to the pointer. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer';
import { expect, test } from 'vitest';
import { ascentSettings, createImage, encodePng } from '../../../src/index.ts';
import { findBrowser, launchArguments } from '../../../src/node/browser.ts';
import { address, html, page } from '../../../src/node/command/page/markup.ts';
import { parallelCoordinates } from '../../../src/node/command/page/parallel_coordinates.ts';
import { searchPage, type ShownTrial } from '../../../src/node/command/page/search_page.ts';
import { useFolder } from './program.ts';

const folder = useFolder();

test('what is put in is text, markup stays markup', () => {
  const name = `<script>alert('1')</script>"\u202e`;
  expect(html`<b title="${name}">${[html`<i>${name}</i>`, ' ', 7]}</b>`.text).toBe(
    '<b title="&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;\\u202e"><i>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;\\u202e</i> 7</b>',
  );
  expect(address('a b/"#?.png')).toBe('./a%20b%2F%22%23%3F.png');
  const text = new TextDecoder().decode(page({ title: '</title><script>', style: '', body: html`` }));
  expect(text).not.toContain('<script>');
  expect(text).toContain("default-src &#39;none&#39;");
});

test('lines go through the axes in order, from foot to top, and end where a value is missing', () => {
  const axes = [
    { title: 'a', value: ({ a }: { a: number; b?: number }) => a },
    { title: 'b', value: ({ b }: { a: number; b?: number }) => b, falling: true },
  ];
  const line = (a: number, b?: number) => ({ trial: { a, ...(b !== undefined && { b }) }, id: a, color: '#fff', strong: false });
  const { text } = parallelCoordinates(axes, [line(2, 10), line(6, 30), line(4)]);
  const paths = [...text.matchAll(/<path d="([^"]*)"/g)].map(([, d]) => [...d!.matchAll(/[\d.]+/g)].map(Number));
  const [left, right, top, foot] = [52, 1180, 46, 412];
  expect(paths).toEqual([
    [left, foot, (left + right) / 2, foot, (left + right) / 2, top, right, top],
    [left, top, (left + right) / 2, top, (left + right) / 2, foot, right, foot],
    [left, (top + foot) / 2],
  ]);
  expect([...text.matchAll(/class="tick"[^>]*>([^<]*)</g)].map(([, tick]) => tick)).toEqual(['2', '3', '4', '5', '6', '10', '15', '20', '25', '30']);
});

test('the page of a search shows the trial under the pointer, and runs nothing but its own script', async () => {
  writeFileSync(folder('trial-0001.png'), await encodePng(createImage(8, 8, [200, 40, 40])));
  const one = (number: number, score: number | null): ShownTrial => ({
    number, settings: ascentSettings({ decay: number / 10, iterations: 250 }), status: score === null ? 'no gradient' : 'done', score, rank: score === null ? null : 1, of: 16,
    probability: 0.5, variation: score, sparsity: 0.25, distance: 3, file: score === null ? null : 'trial-0001.png',
  });
  const name = `</script><script>document.title = 'taken'</script>`;
  const bytes = searchPage({ network: name, unit: name, about: [name], trials: [one(1, 9), one(2, 5), one(3, null)], chosen: [{ number: 1, letter: 'A', color: '#ff8f85' }] });
  writeFileSync(folder('index.html'), bytes);
  const { executable, environment } = findBrowser();
  const browser = await puppeteer.launch({ executablePath: executable, headless: true, args: launchArguments(), env: { ...process.env, ...environment } });
  try {
    const tab = await browser.newPage();
    const faults: string[] = [];
    tab.on('pageerror', (error) => faults.push((error as Error).message));
    tab.on('console', (message) => faults.push(message.text()));
    await tab.setViewport({ width: 1300, height: 900 });
    await tab.goto(pathToFileURL(folder('index.html')).href);
    expect(await tab.title()).toBe(`${name}: search for settings`);
    const panel = () => tab.$eval('#panel', (own) => ({ title: own.querySelector('h3')!.textContent, rows: own.querySelectorAll('dd').length, picture: own.querySelector('img')!.naturalWidth, hidden: own.querySelector('img')!.hidden }));
    expect(await panel()).toMatchObject({ title: 'trial 1', hidden: false });
    await tab.hover('.all [data-trial="3"]');
    expect(await panel()).toMatchObject({ title: 'trial 3', hidden: true });
    expect(await tab.$$eval('.lit', (marks) => marks.map((mark) => mark.tagName.toLowerCase()).sort())).toEqual(['a', 'g']);
    await tab.hover('figure[data-trial="1"]');
    await tab.waitForFunction(() => document.querySelector<HTMLImageElement>('#panel img')!.naturalWidth === 8);
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
  }
});
