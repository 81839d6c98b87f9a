import { type Summary, summarize } from '../common/statistics';
import type { Comparison, Run } from './comparison';
import type { Load } from './loads';

/** Something measured in a run; null for what did not happen. */
export type Value = (run: Run) => number | null;

/** The runs of one subject under one load that count. */
export function runsOf({ runs }: Comparison, load: Load, subject: string): Run[] {
  return runs.filter((run) => run.load === load.name && run.subject === subject && !run.flaw);
}

/** Median and range, in which no value counts as infinity; NaN without runs. */
export function summaryOf(runs: Run[], value: Value): Summary {
  return summarize(runs.map((run) => value(run) ?? Number.POSITIVE_INFINITY));
}

/** @returns infinity when half of the runs or more have no value; NaN without runs */
export function medianOf(runs: Run[], value: Value): number {
  return summaryOf(runs, value).median;
}

/** A figure; "never" for infinity, and "–" for NaN. */
export function inWords(figure: number): string {
  if (Number.isNaN(figure)) return '–';
  if (!Number.isFinite(figure)) return 'never';
  const maximumFractionDigits = figure < 10 ? 1 : 0;
  return figure.toLocaleString('en', { maximumFractionDigits });
}

export const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
