/** The median of some measurements, and their range. */
export interface Summary {
  median: number;
  min: number;
  max: number;
}

/** @returns NaN in each field when there are no numbers */
export function summarize(numbers: number[]): Summary {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** @returns the nearest-rank percentile; null when there are no values */
export function percentile(values: number[], percent: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null;
}

export const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
