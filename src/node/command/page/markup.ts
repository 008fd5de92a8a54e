/** HTML for pages that are opened from a folder: whatever is put in is text, unless it was made here. */
import { printable } from '../../../errors.ts';

/** HTML that was made by `html`. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text for HTML, also inside quoted attributes. */
export const escaped = (text: string): string => printable(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign]);

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return Array.isArray(part) ? (part as readonly Part[]).map(textOf).join('') : escaped(String(part));
}

/** Template tag: everything between the signs of the template is escaped, but markup. */
export const html = (signs: TemplateStringsArray, ...parts: readonly Part[]): Markup =>
  new Markup(signs.reduce((text, sign, n) => text + textOf(parts[n - 1]!) + sign));

/** The address of a file in the page's folder. */
export const address = (file: string): string => `./${encodeURIComponent(file)}`;

export interface Page {
  readonly title: string;
  readonly style: string;
  readonly body: Markup;
  /** Runs after the page is there. */
  readonly script?: string;
}

/** A whole page, which asks for nothing but the pictures of its folder. */
export function page({ title, style, body, script = '' }: Page): Uint8Array<ArrayBuffer> {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:${script ? "; script-src 'unsafe-inline'" : ''}; base-uri 'none'; form-action 'none'`;
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>${title}</title>
<style>${new Markup(STYLE + style)}</style>
</head>
<body>
${body}
${script ? new Markup(`<script>${script}</script>`) : ''}
</body>
</html>
`;
  return new TextEncoder().encode(text);
}

/** Colours and type of the viewer. */
const STYLE = `
:root {
  --ground: #0d0e12; --panel: #15171d; --raised: #1f222a; --line: #2b2f39; --text: #e8eaf0; --dim: #a2a9b8; --accent: #ffa94d;
  font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  color: var(--text); background: var(--ground); color-scheme: dark;
}
* { box-sizing: border-box; }
body { max-width: 1600px; margin: 0 auto; padding: 24px; }
h1 { margin: 0; font-size: 24px; font-weight: 600; overflow-wrap: anywhere; }
h2 { margin: 32px 0 12px; font-size: 16px; font-weight: 600; overflow-wrap: anywhere; }
p { margin: 4px 0 0; color: var(--dim); max-width: 110ch; overflow-wrap: anywhere; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
