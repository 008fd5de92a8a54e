/** The part of the address after #: what is looked at. It comes from strangers, so every value is checked. */

export interface Link {
  readonly layer?: string;
  readonly unit?: number;
  readonly preset?: 1 | 2 | 3 | 4;
  readonly seed?: number;
  /** Name of an example. */
  readonly example?: string;
  /** Name of a network that is not the embedded one. */
  readonly model?: string;
}

export interface LinkReading {
  readonly link: Link;
  /** What could not be used, for people. */
  readonly ignored: readonly string[];
}

const MOST_SEED = 0xffffffff;
const MOST_TEXT = 200;

const whole = (most: number, least = 0) => (text: string): number | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
const name = (text: string): string | undefined => (text.length > 0 && text.length <= MOST_TEXT ? text : undefined);

const FIELDS: { readonly [K in keyof Required<Link>]: (text: string) => Link[K] } = {
  model: name,
  layer: name,
  unit: whole(1e7),
  preset: whole(4, 1) as (text: string) => Link['preset'],
  seed: whole(MOST_SEED),
  example: name,
};

/** Reads `#layer=conv4&unit=12`; what is unknown or wrong is left out and told. */
export function readLink(hash: string): LinkReading {
  const link: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, '').slice(0, 4000))) {
    const read = Object.hasOwn(FIELDS, key) ? FIELDS[key as keyof Link] : undefined;
    const value = read?.(text);
    if (value === undefined) ignored.push(`${key.slice(0, 40)}=${text.slice(0, 40)}`);
    else link[key] = value;
  }
  return { link: link as Link, ignored };
}

export function writeLink(link: Link): string {
  const words = Object.keys(FIELDS).flatMap((key) => {
    const value = link[key as keyof Link];
    return value === undefined ? [] : [[key, String(value)]];
  });
  return `#${new URLSearchParams(words)}`;
}
