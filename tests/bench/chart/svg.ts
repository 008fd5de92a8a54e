/** Writes SVG as text: elements with escaped attributes and text. */

type Value = string | number;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Tenths of a pixel: what a picture of this size can show. */
const written = (value: Value): string => (typeof value === 'number' ? String(Math.round(value * 10) / 10) : escape(value));

export function element(name: string, attributes: Readonly<Record<string, Value | undefined>>, content = ''): string {
  const list = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : ` ${key}="${written(value)}"`));
  return content === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${content}</${name}>`;
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly fill?: string;
  readonly weight?: 'bold';
}

/** Text whose middle line is at y. */
export function text(x: number, y: number, content: string, { anchor = 'start', size = 11, fill = INK, weight }: TextStyle = {}): string {
  const attributes = { x, y: y + size * 0.35, 'text-anchor': anchor, 'font-size': size, fill, 'font-weight': weight };
  return element('text', attributes, escape(content));
}

export const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, width = 1): string =>
  element('line', { x1, y1, x2, y2, stroke, 'stroke-width': width });

/** A broken line through points; `dash` as SVG writes it. */
export const polyline = (points: readonly (readonly [number, number])[], stroke: string, dash?: string, width = 2): string =>
  element('polyline', { points: points.map((point) => point.map(written).join(',')).join(' '), fill: 'none', stroke, 'stroke-width': width, 'stroke-dasharray': dash });

export const INK = '#1f2430';
export const FAINT = '#6b7280';
export const GRID = '#e3e6eb';
export const ALARM = '#b42318';

/** A whole picture on white, so that it reads on any page. */
export function picture(width: number, height: number, parts: readonly string[]): string {
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': 'system-ui, "DejaVu Sans", Arial, sans-serif' };
  return `${element('svg', attributes, ['', element('rect', { width, height, fill: '#ffffff' }), ...parts, ''].join('\n'))}\n`;
}
