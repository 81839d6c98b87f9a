import { setTimeout as sleep } from 'node:timers/promises';
import { concernOf, type Inflicted, inflict } from './faults';
import { type Ledger, startLedger, type Verdict } from './ledger';
import { apply } from './loads';
import { startProbes } from './probes';
import { fromDatabase } from './readers';
import { type Recovery, recoveries } from './recovery';
import { databaseName, type Rig, startRig } from './rig';
import { describe, type Planned, type Schedule } from './schedule';

export interface Result {
  verdict: Verdict;
  recoveries: Recovery[];
  replicas: ReplicaResult[];
  /** Lines of the replicas' logs that tell of errors, some of them. */
  logged: string[];
  /** What must not be; empty when the service has kept its word. */
  failures: string[];
}

export interface ReplicaResult {
  name: string;
  longestGapMs: number;
  /** From when all faults were over to the first 201; null when none came in `recoveryMs`. */
  recoveredAfterMs: number | null;
  /** Of the largest of its processes. */
  peakMb: number;
  /** How many 201s came in each second of the run. */
  perSecond: number[];
}

/** How long a replica may take to have its first success when all faults are over, in ms. */
const recoveryMs = 10_000;

/** How much longer than what is planned a run may take, in ms. */
const graceMs = 180_000;

/**
 * Runs two replicas through a schedule, and compares what they acknowledged with what is stored.
 *
 * @param keys whether half of the posts have an Idempotency-Key and are repeated
 * @param say gets a line for each thing that happens
 * @throws Error when the rig itself fails, or the run takes minutes longer than planned
 */
export async function run(options: {
  schedule: Schedule;
  keys: boolean;
  say: (line: string) => void;
}): Promise<Result> {
  const rig = await startRig(2, options.say);
  const { faults, loads } = options.schedule;
  const last = Math.max(0, ...[...faults, ...loads].map(({ atMs }) => atMs));
  const watchdog = new AbortController();
  try {
    return await Promise.race([
      runOn(rig, options),
      sleep(last + graceMs, undefined, { signal: watchdog.signal }).then(() => {
        throw new Error('the run does not end');
      }),
    ]);
  } finally {
    watchdog.abort();
    await rig.close();
  }
}

async function runOn(
  rig: Rig,
  { schedule, keys, say }: Parameters<typeof run>[0],
): Promise<Result> {
  const { targets } = rig;
  const begin = performance.now();
  const tell = (line: string) =>
    say(`${((performance.now() - begin) / 1000).toFixed(1)} s  ${line}`);
  const failures: string[] = [];
  const failed = (line: string) => {
    failures.push(line);
    tell(`FAILED ${line}`);
  };

  const ledger = startLedger({ targets, keys });
  const stopProbes = startProbes(rig, failed);
  const [inflicted] = await Promise.all([
    inflictAll(rig, ledger, schedule.faults, tell, failed),
    following(schedule.loads, async (load) => {
      tell(describe(load));
      await apply(ledger, targets, load, keys);
    }),
  ]);

  const wellAt = Math.max(begin, ...inflicted.map((one) => one.wellAt));
  tell('all faults are over');
  const names = targets.map(({ name }) => name);
  const firstSuccess = (name: string) => ledger.successes(name).find((at) => at >= wellAt);
  while (performance.now() < wellAt + recoveryMs && !names.every(firstSuccess)) await sleep(50);
  const recovered = names.map((name) => {
    const at = firstSuccess(name);
    return at === undefined ? null : Math.round(at - wellAt);
  });
  await ledger.stop();
  await stopProbes();
  tell('all writers are done');
  const verdict = await ledger.compare(fromDatabase(rig.uri(), databaseName));

  const replicas = names.map((name, number) => ({
    name,
    longestGapMs: verdict.longestGapMs[name] ?? 0,
    recoveredAfterMs: recovered[number] ?? null,
    peakMb: Math.max(
      ...rig.everyReplica.filter(({ target }) => target.name === name).map((one) => one.peakMb()),
    ),
    perSecond: perSecond(ledger.successes(name), begin),
  }));
  for (const { name, recoveredAfterMs } of replicas) {
    if (recoveredAfterMs === null) failures.push(`${name} has not recovered`);
  }
  return {
    verdict,
    recoveries: recoveries(inflicted, names, ledger.successes),
    replicas,
    logged: rig.everyReplica.flatMap(({ errors }) => errors),
    failures: [...verdict.failures, ...failures],
  };
}

function perSecond(times: readonly number[], begin: number): number[] {
  const counts: number[] = [];
  for (const time of times) {
    const second = Math.floor((time - begin) / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
}

async function inflictAll(
  rig: Rig,
  ledger: Ledger,
  faults: Planned<Parameters<typeof inflict>[2]>[],
  tell: (line: string) => void,
  failed: (line: string) => void,
): Promise<Inflicted[]> {
  const inflicted: Inflicted[] = [];
  const busy = new Map<string, Promise<void>>();
  await following(faults, (fault) => {
    const concern = concernOf(fault);
    const done = (busy.get(concern) ?? Promise.resolve()).then(async () => {
      tell(describe(fault));
      inflicted.push(await inflict(rig, ledger, fault, failed));
    });
    busy.set(concern, done);
    return done;
  });
  return inflicted;
}

/** Begins each thing at its time, and waits for all of them. */
async function following<T>(
  planned: Planned<T>[],
  begin: (what: T) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  await Promise.all(
    planned.map(async ({ atMs, what }) => {
      await sleep(Math.max(0, start + atMs - performance.now()));
      await begin(what);
    }),
  );
}
