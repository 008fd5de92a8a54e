/** The page of a gallery. */
import { address, html, page, type Markup } from '../page/markup.ts';

export interface Shown {
  readonly section: string;
  readonly title: string;
  /** The command line that makes it again. */
  readonly line: string;
  /** What the command said; where it failed, why. */
  readonly text: string;
  readonly failed: boolean;
  /** Pictures and a page in the gallery's folder, by path. */
  readonly pictures: readonly string[];
  readonly page?: string | undefined;
}

const link = (path: string): string => `./${path.split('/').map((part) => address(part).slice(2)).join('/')}`;

function figure({ title, line, text, failed, pictures, page: more }: Shown): Markup {
  return html`<figure${failed ? html` class="failed"` : ''}>
${pictures.map((path) => html`<a href="${link(path)}"><img src="${link(path)}" alt="${title}" loading="lazy"></a>`)}
<figcaption><b>${title}</b>${more === undefined ? '' : html` · <a href="${link(more)}">its page</a>`}<details><summary>how</summary><code>${line}</code><pre>${text}</pre></details></figcaption>
</figure>
`;
}

export function galleryPage(network: string, about: readonly string[], shown: readonly Shown[]): Uint8Array<ArrayBuffer> {
  const sections = [...new Set(shown.map(({ section }) => section))];
  const body = html`<h1>${network}</h1>
${about.map((sentence) => html`<p>${sentence}</p>`)}
${sections.map((section) => html`<section><h2>${section}</h2><div class="figures">${shown.filter((own) => own.section === section).map(figure)}</div></section>
`)}`;
  return page({ title: `${network}: gallery`, style: STYLE, body });
}

const STYLE = `
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; align-items: start; }
figure { margin: 0; padding: 8px; border-radius: 8px; background: var(--panel); overflow: hidden; }
figure img { display: block; width: 100%; max-height: 520px; object-fit: contain; border-radius: 4px; background: var(--ground); image-rendering: pixelated; margin-bottom: 6px; }
figcaption { font-size: 13px; }
figure.failed { outline: 1px solid #ff6b6b; }
details { margin-top: 4px; color: var(--dim); }
summary { cursor: pointer; }
code, pre { display: block; overflow-x: auto; font-size: 11px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0 0; }
`;
