/** A preprocessing in one line. */
import type { Preprocess } from '../../index.ts';

/** For people: `BGR, 0..255, mean 104 117 123, std 1 1 1, crop`. */
export function wayOf({ channels, range, mean, std, fit }: Preprocess): string {
  return `${channels}, 0..${range}, mean ${mean.join(' ')}, std ${std.join(' ')}, ${fit}`;
}

/** As --preprocess takes it: `channels=BGR;range=255;mean=104,117,123;std=1;fit=crop`. */
export function wayText({ channels, range, mean, std, fit }: Preprocess): string {
  const list = (values: readonly number[]) => (values.every((value) => value === values[0]) ? String(values[0]) : values.join(','));
  return `channels=${channels};range=${range};mean=${list(mean)};std=${list(std)};fit=${fit}`;
}
