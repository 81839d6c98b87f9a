import type { InjectedFault } from './inject-fault';

/** The recovery time after faults of one kind: from their end to the first success, in ms. */
export interface Recovery {
  kind: string;
  faults: number;
  p50Ms: number;
  maxMs: number;
}

/**
 * Recovery times by kind of fault, over all affected replicas. The time in which another fault lasted
 * does not count.
 *
 * @param names of the replicas
 * @param successes the times of a replica's successes, ascending
 */
export function recoveryTimes(
  injected: readonly InjectedFault[],
  names: readonly string[],
  successes: (name: string) => readonly number[],
): Recovery[] {
  const byKind = new Map<string, InjectedFault[]>();
  for (const one of injected) {
    const { fault } = one;
    const kind = 'first' in fault ? `${fault.kind}, ${fault.first} first` : fault.kind;
    byKind.set(kind, [...(byKind.get(kind) ?? []), one]);
  }
  return [...byKind].map(([kind, faults]) => {
    const times = faults.flatMap((one) =>
      affectedReplicas(one, names).map((name) => {
        const success = successes(name).find((at) => at >= one.clearedAt);
        return success === undefined
          ? Number.POSITIVE_INFINITY
          : faultFreeTime(one.clearedAt, success, injected);
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

function affectedReplicas({ fault }: InjectedFault, names: readonly string[]): string[] {
  return names.filter((_, index) => !('replica' in fault) || fault.replica === index);
}

/** How much of an interval no fault lasted, in ms. */
function faultFreeTime(begin: number, end: number, injected: readonly InjectedFault[]): number {
  let time = 0;
  let from = begin;
  for (const { startedAt, clearedAt } of injected.toSorted((a, b) => a.startedAt - b.startedAt)) {
    if (clearedAt <= from || startedAt >= end) continue;
    time += Math.max(0, startedAt - from);
    from = Math.max(from, clearedAt);
  }
  return time + Math.max(0, end - from);
}
