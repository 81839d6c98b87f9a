/** What stands for several measurements, and how far they lie apart. */
export interface Summary {
  median: number;
  min: number;
  max: number;
}

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
