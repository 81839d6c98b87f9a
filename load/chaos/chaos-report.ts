import type { ChaosResult } from './run';

/** The result of a run as plain-text tables. */
export function chaosReport(result: ChaosResult): string {
  const { verdict, recoveries, replicas, logged, failures } = result;
  const { storedLate } = verdict;
  const counts: [string, number | string][] = [
    ['documents posted', verdict.documents],
    ['  with a key', verdict.withKey],
    ['  acknowledged', verdict.acknowledged],
    ['documents stored', verdict.stored],
    ['acknowledged but missing', verdict.missing.length],
    ['stored more than once', verdict.duplicates.length],
    ['wrong content or id', verdict.corrupted.length],
    ['stored although nothing was sent', verdict.deniedButStored.length],
    ['stored after the 5xx', storedLate ? formatLate(storedLate) : '?'],
    ['unexpected connection errors', verdict.unexpectedErrors.length],
    ['wrong responses', verdict.wrongResponses.length],
  ];
  const parts = [
    table(['', ''], counts),
    table(
      ['outcome of posts', 'posts', 'not acknowledged', 'but stored'],
      verdict.outcomes.map((one) => [one.outcome, one.posts, one.documents, one.stored]),
    ),
    table(
      ['outcome of other requests', 'requests'],
      verdict.otherRequests.map(({ outcome, requests }) => [outcome, requests]),
    ),
    table(
      ['recovery time after', 'faults', 'p50', 'max'],
      recoveries.map(({ kind, faults, p50Ms, maxMs }) => [
        kind,
        faults,
        formatSeconds(p50Ms),
        formatSeconds(maxMs),
      ]),
    ),
    table(
      ['', 'longest time without a 201', 'recovery time after the last fault', 'peak memory'],
      replicas.map(({ name, longestGapMs, recoveredAfterMs, peakMb }) => [
        name,
        formatSeconds(longestGapMs),
        recoveredAfterMs === null ? 'never' : formatSeconds(recoveredAfterMs),
        `${peakMb} MB`,
      ]),
    ),
    ['201s per second:', ...replicas.map(({ perSecond }) => sparkline(perSecond))].join('\n'),
    list('acknowledged but missing', verdict.missing),
    list('stored more than once', verdict.duplicates),
    list('wrong content or id', verdict.corrupted),
    list('stored although nothing was sent', verdict.deniedButStored),
    list('unexpected connection errors', verdict.unexpectedErrors),
    list('wrong responses', verdict.wrongResponses),
    list('errors in the logs', logged),
    failures.length > 0 ? list('FAILED', failures) : 'Passed.',
  ];
  return parts.filter(Boolean).join('\n\n');
}

function formatLate({ documents, maxMs }: { documents: number; maxMs: number }): string {
  return documents > 0 ? `${documents}, up to ${formatSeconds(maxMs)} later` : '0';
}

function formatSeconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'never';
}

/** A bar for each number, or a dot for 0. */
function sparkline(counts: number[]): string {
  const max = Math.max(...counts);
  const bar = (count: number) => '▁▂▃▄▅▆▇█'[Math.ceil((count / max) * 8) - 1] ?? '·';
  return counts.map(bar).join('');
}

/** The first ten lines under a title; empty when there are none. */
function list(title: string, lines: string[]): string {
  if (lines.length === 0) return '';
  const rest = lines.length > 10 ? [`… and ${lines.length - 10} more`] : [];
  const shown = lines.slice(0, 10).map((line) => line.slice(0, 400));
  return [`${title}:`, ...shown, ...rest].join('\n  ');
}

function table(header: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return '';
  const all = [header, ...rows].filter((row) => row.some((cell) => cell !== ''));
  const widths = header.map((_, i) => Math.max(...all.map((row) => String(row[i]).length)));
  return all
    .map((row) =>
      row
        .map((cell, i) =>
          i === 0 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(widths[i] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
