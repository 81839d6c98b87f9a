import { setTimeout as sleep } from 'node:timers/promises';
import { sendBurst } from './bursts';
import { databaseSource } from './document-sources';
import { type InjectedFault, injectFault, scopeOf } from './inject-fault';
import { type Ledger, startLedger, type Verdict } from './ledger';
import { startProbes } from './probes';
import { type Recovery, recoveryTimes } from './recovery';
import { databaseName, type Rig, startRig } from './rig';
import { describe, type Fault, type Planned, type Schedule } from './schedule';

export interface ChaosResult {
  verdict: Verdict;
  recoveries: Recovery[];
  replicas: ReplicaResult[];
  /** Lines of the replicas' logs at level error; of each process the first hundred. */
  logged: string[];
  /** What must not have happened; empty when the service kept its promises. */
  failures: string[];
}

export interface ReplicaResult {
  name: string;
  longestGapMs: number;
  /** From the end of the last fault to the first 201; null when none came within `maxRecoveryMs`. */
  recoveredAfterMs: number | null;
  /** The highest of its processes. */
  peakMb: number;
  /** The number of 201s in each second of the run. */
  perSecond: number[];
}

export interface ChaosOptions {
  schedule: Schedule;
  /** Whether half of the posts have an Idempotency-Key, and are retried. */
  keys: boolean;
  /** Is called with a line for each event. */
  log: (line: string) => void;
}

/** How long a replica may take to its first success after the last fault, in ms. */
const maxRecoveryMs = 10_000;

/** How long a run may take beyond its schedule, in ms. */
const graceMs = 180_000;

/**
 * Runs a schedule against two replicas, and compares what they acknowledged with what is stored.
 *
 * @throws Error when the rig fails, or the run takes minutes longer than scheduled
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const rig = await startRig(2, options.log);
  const { faults, bursts } = options.schedule;
  const last = Math.max(0, ...[...faults, ...bursts].map(({ atMs }) => atMs));
  const finished = new AbortController();
  try {
    return await Promise.race([
      runOn(rig, options),
      sleep(last + graceMs, undefined, { signal: finished.signal }).then(() => {
        throw new Error('the run timed out');
      }),
    ]);
  } finally {
    finished.abort();
    await rig.close();
  }
}

async function runOn(rig: Rig, { schedule, keys, log }: ChaosOptions): Promise<ChaosResult> {
  const { targets } = rig;
  const startedAt = performance.now();
  const logEvent = (line: string) =>
    log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s  ${line}`);
  const failures: string[] = [];
  const reportFailure = (line: string) => {
    failures.push(line);
    logEvent(`FAILED ${line}`);
  };

  const ledger = startLedger({ targets, keys });
  const stopProbes = startProbes(rig, reportFailure);
  const [injected] = await Promise.all([
    injectAll(rig, ledger, schedule.faults, logEvent, reportFailure),
    runPlanned(schedule.bursts, async (burst) => {
      logEvent(describe(burst));
      await sendBurst(ledger, targets, burst, keys);
    }),
  ]);

  const clearedAt = Math.max(startedAt, ...injected.map((one) => one.clearedAt));
  logEvent('all faults are over');
  const names = targets.map(({ name }) => name);
  const firstSuccess = (name: string) => ledger.successes(name).find((at) => at >= clearedAt);
  while (performance.now() < clearedAt + maxRecoveryMs && !names.every(firstSuccess)) {
    await sleep(50);
  }
  const recoveredAfterMs = names.map((name) => {
    const at = firstSuccess(name);
    return at === undefined ? null : Math.round(at - clearedAt);
  });
  await ledger.stop();
  await stopProbes();
  logEvent('all writers have stopped');
  const verdict = await ledger.check(databaseSource(rig.databaseUri(), databaseName));

  const replicas = names.map((name, index) => ({
    name,
    longestGapMs: verdict.longestGapMs[name] ?? 0,
    recoveredAfterMs: recoveredAfterMs[index] ?? null,
    peakMb: Math.max(
      ...rig.allReplicas.filter(({ target }) => target.name === name).map((one) => one.peakMb()),
    ),
    perSecond: countPerSecond(ledger.successes(name), startedAt),
  }));
  for (const replica of replicas) {
    if (replica.recoveredAfterMs === null) failures.push(`${replica.name} did not recover`);
  }
  return {
    verdict,
    recoveries: recoveryTimes(injected, names, ledger.successes),
    replicas,
    logged: rig.allReplicas.flatMap(({ errors }) => errors),
    failures: [...verdict.failures, ...failures],
  };
}

function countPerSecond(times: readonly number[], startedAt: number): number[] {
  const counts: number[] = [];
  for (const time of times) {
    const second = Math.floor((time - startedAt) / 1000);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count ?? 0);
}

/** Injects each fault at its time, or when earlier faults of the same scope are over. */
async function injectAll(
  rig: Rig,
  ledger: Ledger,
  faults: Planned<Fault>[],
  logEvent: (line: string) => void,
  reportFailure: (line: string) => void,
): Promise<InjectedFault[]> {
  const injected: InjectedFault[] = [];
  const lastOfScope = new Map<string, Promise<void>>();
  await runPlanned(faults, (fault) => {
    const scope = scopeOf(fault);
    const done = (lastOfScope.get(scope) ?? Promise.resolve()).then(async () => {
      logEvent(describe(fault));
      injected.push(await injectFault(rig, ledger, fault, reportFailure));
    });
    lastOfScope.set(scope, done);
    return done;
  });
  return injected;
}

/** Starts each item at its time, and waits for all of them. */
async function runPlanned<T>(
  planned: Planned<T>[],
  start: (what: T) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  await Promise.all(
    planned.map(async ({ atMs, what }) => {
      await sleep(Math.max(0, startedAt + atMs - performance.now()));
      await start(what);
    }),
  );
}
