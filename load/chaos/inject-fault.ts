import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger';
import type { Rig } from './rig';
import type { Fault } from './schedule';

/** A fault that is over. Times are those of `performance.now()`. */
export interface InjectedFault {
  fault: Fault;
  startedAt: number;
  /** When everything it affected worked again, so that the service should recover. */
  clearedAt: number;
}

/** How long a replica may take to exit, in ms: the limits of its drain, and the time it is paused. */
const maxDrainMs = 20_000;

/** When clients stop using a terminating replica, in ms: after it has stopped accepting connections. */
const clientsMoveAfterMs = 3000;

/**
 * Injects a fault and clears it again.
 *
 * @param reportFailure is called when a replica misbehaves
 */
export async function injectFault(
  rig: Rig,
  ledger: Ledger,
  fault: Fault,
  reportFailure: (line: string) => void,
): Promise<InjectedFault> {
  const { proxy } = rig;
  const startedAt = performance.now();
  switch (fault.kind) {
    case 'database killed':
    case 'database stopped':
      await rig.stopDatabase(fault.kind === 'database killed' ? 'SIGKILL' : 'SIGTERM');
      await sleep(fault.downMs);
      await rig.startDatabase();
      break;
    case 'database frozen':
      rig.signalDatabase('SIGSTOP');
      await sleep(fault.ms);
      rig.signalDatabase('SIGCONT');
      break;
    case 'replica terminated':
      await terminate(rig, ledger, fault, reportFailure);
      break;
    case 'replica killed': {
      const { target, child, exited } = expectOutage(rig, fault.replica);
      ledger.expectErrors(target);
      child.kill('SIGKILL');
      await exited;
      await sleep(fault.downMs);
      await rig.replace(fault.replica);
      break;
    }
    case 'replica frozen': {
      const replica = expectOutage(rig, fault.replica);
      replica.child.kill('SIGSTOP');
      await sleep(fault.ms);
      replica.child.kill('SIGCONT');
      replica.shouldRespond = true;
      break;
    }
    case 'connections reset':
      proxy.reset();
      break;
    case 'connections ended':
      proxy.end(fault.first);
      break;
    case 'connections black-holed':
      proxy.blackHole(fault.swallow);
      await sleep(fault.ms);
      proxy.fill();
      break;
    case 'connections delayed':
      proxy.delayMs = fault.byMs;
      await sleep(fault.ms);
      proxy.delayMs = 0;
      break;
    case 'connections cut':
      proxy.cut(fault.from, fault.count, fault.part);
      await sleep(fault.ms);
      proxy.cut(fault.from, 0);
      break;
    case 'connections refused':
      proxy.refuse();
      await sleep(fault.ms);
      await proxy.accept();
      break;
  }
  return { fault, startedAt, clearedAt: performance.now() };
}

/** As in a rollout: the next replica starts while this one drains, and clients move with a delay. */
async function terminate(
  rig: Rig,
  ledger: Ledger,
  fault: Extract<Fault, { kind: 'replica terminated' }>,
  reportFailure: (line: string) => void,
): Promise<void> {
  const { target, child, exited } = expectOutage(rig, fault.replica);
  ledger.expectErrors(target, 'ECONNREFUSED');
  child.kill('SIGTERM');
  void assertExits();
  if (fault.pause) void pause(fault.pause);
  await rig.replace(
    fault.replica,
    Promise.race([exited, sleep(clientsMoveAfterMs, undefined, { ref: false })]),
  );

  async function assertExits(): Promise<void> {
    const code = await Promise.race([exited, sleep(maxDrainMs, 'a timeout', { ref: false })]);
    if (code === 0) return;
    reportFailure(`${target.name}: ${code} instead of exit code 0 after SIGTERM`);
    ledger.expectErrors(target);
    child.kill('SIGKILL');
  }

  async function pause({ afterMs, ms }: { afterMs: number; ms: number }): Promise<void> {
    await sleep(afterMs);
    child.kill('SIGSTOP');
    await sleep(ms);
    child.kill('SIGCONT');
  }
}

/** Marks a replica as one that need not respond. */
function expectOutage(rig: Rig, index: number) {
  const replica = rig.replicas[index];
  if (!replica) throw new Error(`there is no replica ${index + 1}`);
  replica.shouldRespond = false;
  return replica;
}

/** What a fault affects; faults with the same scope do not overlap. */
export function scopeOf(fault: Fault): string {
  if ('replica' in fault) return `replica ${fault.replica + 1}`;
  return fault.kind.startsWith('database') ? 'database' : fault.kind;
}
