/** Numbers as people read them. */

/** Bytes: 1536 -> '1.5 KiB'. */
export function binary(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`;
}

/** Counts in powers of a thousand: 12345678 -> '12.3 M'. */
export function metric(count: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1);
  return `${Number((count / 1000 ** power).toFixed(power === 0 ? 0 : 1))}${units[power]}`;
}

/** A measured value with four significant digits: 0.00012345 -> '1.235e-4'. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value === 0 || (size >= 1e-3 && size < 1e6) ? String(Number(value.toPrecision(4))) : value.toExponential(3);
}

/** `1 layer`, `2 layers`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** A speed in powers of a thousand: 9.1e9, 'FLOP/s' -> '9.1 GFLOP/s'. */
export function rate(perSecond: number, unit: string): string {
  const [count, prefix = ''] = metric(perSecond).split(' ');
  return `${count} ${prefix}${unit}`;
}

/** A duration with three significant digits: 0.00421 -> '4.21 us', 1234.5 -> '1.23 s'. */
export function milliseconds(ms: number): string {
  const [value, unit] = ms >= 1e3 ? [ms / 1e3, 's'] : ms >= 1 ? [ms, 'ms'] : [ms * 1e3, 'us'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
