import type { Result } from './run';

/** Tells a result in tables. */
export function report({ verdict, recoveries, replicas, logged, failures }: Result): string {
  const { late } = verdict;
  const counts: [string, number | string][] = [
    ['documents posted', verdict.documents],
    ['  of them with a key', verdict.withKey],
    ['  acknowledged', verdict.acknowledged],
    ['documents stored', verdict.stored],
    ['acknowledged and missing', verdict.missing.length],
    ['stored twice', verdict.twice.length],
    ['mixed up', verdict.mixedUp.length],
    ['stored, though nothing was sent', verdict.lies.length],
    [
      'stored after the 5xx',
      late ? `${late.documents}${late.documents ? `, up to ${s(late.mostMs)} after it` : ''}` : '?',
    ],
    ['cut without an excuse', verdict.unexplained.length],
    ['wrong answers', verdict.wrongAnswers.length],
  ];
  const parts = [
    table(['', ''], counts),
    table(
      ['posts ended with', 'posts', 'not acknowledged', 'of them stored'],
      verdict.outcomes.map((one) => [one.outcome, one.posts, one.documents, one.stored]),
    ),
    table(
      ['other requests ended with', 'requests'],
      verdict.others.map(({ outcome, requests }) => [outcome, requests]),
    ),
    table(
      ['recovered from', 'times', 'p50', 'max'],
      recoveries.map(({ kind, faults, p50Ms, maxMs }) => [kind, faults, s(p50Ms), s(maxMs)]),
    ),
    table(
      ['', 'longest without a 201', 'recovered in the end after', 'peak memory'],
      replicas.map(({ name, longestGapMs, recoveredAfterMs, peakMb }) => [
        name,
        s(longestGapMs),
        recoveredAfterMs === null ? 'not' : s(recoveredAfterMs),
        `${peakMb} MB`,
      ]),
    ),
    ['201s in each second:', ...replicas.map(({ perSecond }) => sparks(perSecond))].join('\n'),
    some('missing', verdict.missing),
    some('stored twice', verdict.twice),
    some('mixed up', verdict.mixedUp),
    some('stored, though nothing was sent', verdict.lies),
    some('cut without an excuse', verdict.unexplained),
    some('wrong answers', verdict.wrongAnswers),
    some('errors in the log', logged),
    failures.length > 0 ? some('FAILED', failures) : 'Nothing failed.',
  ];
  return parts.filter(Boolean).join('\n\n');
}

function s(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'never';
}

/** A bar for each number, and a dot for none. */
function sparks(counts: number[]): string {
  const most = Math.max(...counts);
  const bar = (count: number) => '▁▂▃▄▅▆▇█'[Math.ceil((count / most) * 8) - 1] ?? '·';
  return counts.map(bar).join('');
}

function some(what: string, lines: string[], most = 10): string {
  if (lines.length === 0) return '';
  const rest = lines.length > most ? [`… and ${lines.length - most} more`] : [];
  const shown = lines.slice(0, most).map((line) => line.slice(0, 400));
  return [`${what}:`, ...shown, ...rest].join('\n  ');
}

function table(head: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return '';
  const all = [head, ...rows].filter((row) => row.some((cell) => cell !== ''));
  const widths = head.map((_, i) => Math.max(...all.map((row) => String(row[i]).length)));
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
