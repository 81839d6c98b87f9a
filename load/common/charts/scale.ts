/** An axis. */
export interface Scale {
  /** @returns where a value is on the axis: 0 at its start, 1 at its end, and never beyond them */
  place(value: number): number;
  /** Ascending. */
  ticks: number[];
  end: number;
}

/** A linear axis, with a tick at each multiple of 1, 2 or 5 times a power of ten. */
export function linearScale(start: number, end: number): Scale {
  const least = (end - start) / 8;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
  return scale(start, end, multiples(start, end, step), (value) => value);
}

/** A logarithmic axis, with a tick at each power of the base. */
export function logScale(start: number, end: number, base = 10): Scale {
  const log = (value: number) => Math.log(value) / Math.log(base);
  const ticks = multiples(log(start), log(end), 1).map((exponent) => base ** exponent);
  return scale(start, end, ticks, log);
}

/** A linear axis from 0 for some values. Where outliers end the others are set apart. */
export function scaleFromZero(values: number[]): Scale {
  return linearScale(0, 1.05 * largestButOutliers(values) || 1);
}

/** A logarithmic axis for some values, from a power of ten to a power of ten; 0 is at its start. */
export function powersOfTen(values: number[]): Scale {
  const exponents = values.filter((value) => value > 0).map(Math.log10);
  const start = Math.floor(Math.min(...exponents));
  return logScale(10 ** start, 10 ** Math.max(start + 1, Math.ceil(Math.max(...exponents))));
}

/** The largest value, leaving out those of the highest 1 % that are over twice as large as the next. */
export function largestButOutliers(values: number[]): number {
  const sorted = values.toSorted((a, b) => b - a);
  const top = sorted.slice(0, Math.floor(sorted.length / 100));
  const last = top.findLastIndex((value, i) => value > 2 * (sorted[i + 1] ?? value));
  return sorted[last + 1] ?? 0;
}

function scale(
  start: number,
  end: number,
  ticks: number[],
  transform: (value: number) => number,
): Scale {
  const [from, to] = [transform(start), transform(end)];
  const place = (value: number) =>
    Math.min(1, Math.max(0, (transform(value) - from) / (to - from)));
  return { place, ticks, end };
}

function multiples(start: number, end: number, step: number): number[] {
  const tolerance = 1e-9; // of the division, as of 0.3 / 0.1
  const first = Math.ceil(start / step - tolerance);
  const count = Math.floor(end / step + tolerance) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}
