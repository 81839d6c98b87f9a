import type { Inflicted } from './faults';

/** How long it took from the end of faults of one kind to the first success of each replica, in ms. */
export interface Recovery {
  kind: string;
  faults: number;
  p50Ms: number;
  maxMs: number;
}

/**
 * Time in which another fault lasted does not count.
 *
 * @param successes of a replica, in their order, in ms
 */
export function recoveries(
  inflicted: readonly Inflicted[],
  names: readonly string[],
  successes: (name: string) => readonly number[],
): Recovery[] {
  const kinds = new Map<string, Inflicted[]>();
  for (const one of inflicted) {
    const { fault } = one;
    const kind = 'first' in fault ? `${fault.kind}, ${fault.first} first` : fault.kind;
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  return [...kinds].map(([kind, faults]) => {
    const times = faults.flatMap((one) =>
      concerned(one, names).map((name) => {
        const success = successes(name).find((at) => at >= one.wellAt);
        return success === undefined ? Number.POSITIVE_INFINITY : wellTime(one, success, inflicted);
      }),
    );
    times.sort((a, b) => a - b);
    return {
      kind,
      faults: faults.length,
      p50Ms: Math.round(times[Math.floor((times.length - 1) / 2)] ?? 0),
      maxMs: Math.round(times.at(-1) ?? 0),
    };
  });
}

function concerned({ fault }: Inflicted, names: readonly string[]): string[] {
  return names.filter((_, number) => !('replica' in fault) || fault.replica === number);
}

/** How much of the time from a fault's end to a success no fault lasted, in ms. */
function wellTime(after: Inflicted, until: number, inflicted: readonly Inflicted[]): number {
  let well = 0;
  let from = after.wellAt;
  for (const { startedAt, wellAt } of inflicted.toSorted((a, b) => a.startedAt - b.startedAt)) {
    if (wellAt <= from || startedAt >= until) continue;
    well += Math.max(0, startedAt - from);
    from = Math.max(from, wellAt);
  }
  return well + Math.max(0, until - from);
}
