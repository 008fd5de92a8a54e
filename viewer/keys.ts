/** The keys, as the Deep Visualization Toolbox has them. They act while the page has the focus and nobody is typing. */

export type Action =
  | { readonly kind: 'unit'; readonly direction: 'left' | 'right' | 'up' | 'down'; readonly fast: boolean }
  | { readonly kind: 'layer' | 'picture'; readonly by: 1 | -1 }
  | { readonly kind: 'freeze' | 'camera' | 'scenes' | 'next scene' | 'gamma' | 'scale' | 'play' | 'reset' | 'help' | 'escape' };

export const KEY_HELP: readonly (readonly [string, string])[] = [
  ['← ↑ ↓ →  or  j i k l', 'move to the next unit; with Shift in large steps'],
  ['u  o', 'previous, next layer'],
  ['e  w', 'next, previous example picture'],
  ['c', 'camera on or off'],
  ['v', 'moving scenes on or off'],
  ['g', 'go to the next scene'],
  ['f', 'freeze the camera or the scene'],
  ['p  or  Space', 'play or pause the preferred input'],
  ['r', 'start the preferred input over'],
  ['t', 'gamma of the maps: 1, 0.7, 0.5, 0.3'],
  ['m', 'one colour range for the layer, or one per map'],
  ['h  or  ?', 'this help'],
  ['Esc', 'close what is open'],
];

const UNIT: Readonly<Record<string, 'left' | 'right' | 'up' | 'down'>> = {
  arrowleft: 'left', arrowright: 'right', arrowup: 'up', arrowdown: 'down', j: 'left', l: 'right', i: 'up', k: 'down',
};

const PLAIN: Readonly<Record<string, Action>> = {
  u: { kind: 'layer', by: -1 },
  o: { kind: 'layer', by: 1 },
  e: { kind: 'picture', by: 1 },
  w: { kind: 'picture', by: -1 },
  f: { kind: 'freeze' },
  c: { kind: 'camera' },
  v: { kind: 'scenes' },
  g: { kind: 'next scene' },
  t: { kind: 'gamma' },
  m: { kind: 'scale' },
  p: { kind: 'play' },
  ' ': { kind: 'play' },
  r: { kind: 'reset' },
  h: { kind: 'help' },
  '?': { kind: 'help' },
  escape: { kind: 'escape' },
};

/** Where a key is text or already means something. */
function takesKeys(target: EventTarget | undefined, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return key !== 'escape';
  const presses = target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement || target.tagName === 'SUMMARY';
  if (presses && (key === ' ' || key === 'enter')) return true;
  return false;
}

/** The action of a key, if it is one of ours. */
export function actionOf(event: KeyboardEvent): Action | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return undefined;
  const key = event.key.toLowerCase();
  if (takesKeys(event.composedPath()[0], key)) return undefined;
  const direction = UNIT[key];
  if (direction) return { kind: 'unit', direction, fast: event.shiftKey };
  return PLAIN[key];
}
