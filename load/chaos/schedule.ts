import { type Random, randomFrom } from '../common/random';

/** A fault to inject. Times are in ms; `replica` is an index. */
export type Fault =
  | { kind: 'database killed'; downMs: number }
  | { kind: 'database stopped'; downMs: number }
  | { kind: 'database frozen'; ms: number }
  /** With `pause`, the process is frozen for a while during its drain. */
  | { kind: 'replica terminated'; replica: number; pause?: { afterMs: number; ms: number } }
  | { kind: 'replica killed'; replica: number; downMs: number }
  | { kind: 'replica frozen'; replica: number; ms: number }
  | { kind: 'connections reset' }
  | { kind: 'connections ended'; first: 'oldest' | 'newest' }
  /** With `swallow`, the proxy reads bytes and drops them; without, it does not even read them. */
  | { kind: 'connections black-holed'; ms: number; swallow: boolean }
  | { kind: 'connections delayed'; ms: number; byMs: number }
  /** The proxy forwards only a part of each of the next messages, and closes their connections. */
  | {
      kind: 'connections cut';
      ms: number;
      from: 'client' | 'database';
      count: number;
      part: number;
    }
  | { kind: 'connections refused'; ms: number };

/** Requests in addition to the steady load of the writers. */
export type Burst =
  | { kind: 'posts at once'; count: number }
  | { kind: 'lists at once'; count: number }
  | { kind: 'large documents'; sizes: number[] }
  | { kind: 'uploads that stall'; count: number; ms: number }
  | { kind: 'readers that stall'; count: number; ms: number };

export interface Planned<T> {
  /** From the start of the run. */
  atMs: number;
  what: T;
}

export interface Schedule {
  faults: Planned<Fault>[];
  bursts: Planned<Burst>[];
}

/** Roughly how long a database, or a replica, takes to start. */
const startMs = 2000;

const faults: ((random: Random) => Fault)[] = [
  ({ between }) => ({ kind: 'database killed', downMs: round(between(0, 6000)) }),
  ({ between }) => ({ kind: 'database stopped', downMs: round(between(0, 6000)) }),
  ({ between }) => ({ kind: 'database frozen', ms: round(between(100, 9000)) }),
  ({ whole, chance, between }) => ({
    kind: 'replica terminated',
    replica: whole(0, 1),
    ...(chance(0.5) && {
      pause: { afterMs: round(between(500, 1500)), ms: round(between(50, 500)) },
    }),
  }),
  ({ whole, between }) => ({
    kind: 'replica killed',
    replica: whole(0, 1),
    downMs: round(between(0, 2000)),
  }),
  ({ whole, between }) => ({
    kind: 'replica frozen',
    replica: whole(0, 1),
    ms: round(between(50, 3000)),
  }),
  () => ({ kind: 'connections reset' }),
  () => ({ kind: 'connections ended', first: 'oldest' }),
  () => ({ kind: 'connections ended', first: 'newest' }),
  ({ between, chance }) => ({
    kind: 'connections black-holed',
    ms: round(between(500, 8000)),
    swallow: chance(0.5),
  }),
  ({ between }) => ({
    kind: 'connections delayed',
    ms: round(between(1000, 5000)),
    byMs: round(between(20, 1000)),
  }),
  ({ between, whole }) => ({
    kind: 'connections cut',
    ms: 2000,
    from: 'client',
    count: whole(1, 5),
    part: between(0, 1),
  }),
  ({ between, whole }) => ({
    kind: 'connections cut',
    ms: 2000,
    from: 'database',
    count: whole(1, 5),
    part: between(0, 1),
  }),
  ({ between }) => ({ kind: 'connections refused', ms: round(between(200, 6000)) }),
];

const bursts: ((random: Random) => Burst)[] = [
  ({ whole }) => ({ kind: 'posts at once', count: whole(50, 300) }),
  ({ whole }) => ({ kind: 'lists at once', count: whole(4, 20) }),
  ({ whole, between }) => ({
    kind: 'large documents',
    sizes: Array.from({ length: whole(1, 4) }, () => Math.floor(between(0.2, 0.99) * 2 ** 20)),
  }),
  ({ whole, between }) => ({
    kind: 'uploads that stall',
    count: whole(5, 50),
    ms: round(between(1000, 8000)),
  }),
  ({ whole, between }) => ({
    kind: 'readers that stall',
    count: whole(2, 8),
    ms: round(between(1000, 8000)),
  }),
];

/**
 * Makes a schedule at random: each kind once, in random order, then each again. One fault in three
 * begins while the one before lasts, the others after it.
 *
 * @param seed the same seed makes the same schedule
 * @param seconds in which all faults and bursts begin
 */
export function makeSchedule(seed: number, seconds: number): Schedule {
  return {
    faults: fill(randomFrom(seed), faults, seconds * 1000, (random, fault) =>
      random.chance(1 / 3)
        ? random.between(100, durationOf(fault))
        : durationOf(fault) + random.between(1500, 5000),
    ),
    bursts: fill(randomFrom(~seed), bursts, seconds * 1000, (random) => random.between(3000, 7000)),
  };
}

function fill<T>(
  random: Random,
  makers: ((random: Random) => T)[],
  endMs: number,
  gap: (random: Random, item: T) => number,
): Planned<T>[] {
  const planned: Planned<T>[] = [];
  let atMs = random.between(2000, 4000);
  for (;;) {
    for (const make of random.shuffle(makers)) {
      if (atMs > endMs) return planned;
      const what = make(random);
      planned.push({ atMs: round(atMs), what });
      atMs += gap(random, what);
    }
  }
}

/** Roughly how long a fault lasts, in ms. */
function durationOf(fault: Fault): number {
  if ('downMs' in fault) return fault.downMs + startMs;
  if ('ms' in fault) return fault.ms;
  return fault.kind === 'replica terminated' ? startMs : 100;
}

/** One line that describes a fault or a burst. */
export function describe({ kind, ...more }: Fault | Burst): string {
  const words = Object.entries(more).map(([name, value]) => {
    if (name === 'replica') return `${value + 1}`;
    if (name === 'sizes') return `${value.length}`;
    return `${name} ${JSON.stringify(value)}`;
  });
  return [kind, words.join(', ')].filter(Boolean).join(': ');
}

function round(ms: number): number {
  return Math.round(ms);
}
