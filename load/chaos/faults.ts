import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger';
import type { Rig } from './rig';
import type { Fault } from './schedule';

/** A fault that has been. Times are in ms, as `performance.now()` tells them. */
export interface Inflicted {
  fault: Fault;
  startedAt: number;
  /** When all that it concerned was well again: from here on the service should be. */
  wellAt: number;
}

/** How long a replica may take to end, in ms: its drain's own limits, and what it is paused. */
const drainMs = 20_000;

/** After which clients have left a replica that ends, in ms: longer than it accepts connections. */
const movedMs = 3000;

/**
 * Makes a fault, and mends what it broke.
 *
 * @param failed gets what a replica did that it should not
 */
export async function inflict(
  rig: Rig,
  ledger: Ledger,
  fault: Fault,
  failed: (line: string) => void,
): Promise<Inflicted> {
  const { proxy } = rig;
  const startedAt = performance.now();
  switch (fault.kind) {
    case 'database killed':
    case 'database stopped':
      await rig.stopDatabase(fault.kind === 'database killed' ? 'by force' : 'in order');
      await sleep(fault.downMs);
      await rig.startDatabase();
      break;
    case 'database frozen':
      rig.signal('SIGSTOP');
      await sleep(fault.ms);
      rig.signal('SIGCONT');
      break;
    case 'replica terminated':
      await terminate(rig, ledger, fault, failed);
      break;
    case 'replica killed': {
      const { target, child, exited } = expectNothing(rig, fault.replica);
      ledger.excuse(target);
      child.kill('SIGKILL');
      await exited;
      await sleep(fault.downMs);
      await rig.replace(fault.replica);
      break;
    }
    case 'replica frozen': {
      const replica = expectNothing(rig, fault.replica);
      replica.child.kill('SIGSTOP');
      await sleep(fault.ms);
      replica.child.kill('SIGCONT');
      replica.expected = true;
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
  return { fault, startedAt, wellAt: performance.now() };
}

/** As in a rollout: while one ends the next starts, and clients learn of that late. */
async function terminate(
  rig: Rig,
  ledger: Ledger,
  fault: Extract<Fault, { kind: 'replica terminated' }>,
  failed: (line: string) => void,
): Promise<void> {
  const { target, child, exited } = expectNothing(rig, fault.replica);
  ledger.excuse(target, 'ECONNREFUSED');
  child.kill('SIGTERM');
  void ended();
  if (fault.pause) void pause(fault.pause);
  await rig.replace(
    fault.replica,
    Promise.race([exited, sleep(movedMs, undefined, { ref: false })]),
  );

  async function ended(): Promise<void> {
    const code = await Promise.race([exited, sleep(drainMs, 'no end', { ref: false })]);
    if (code === 0) return;
    failed(`${target.name} had ${code} after SIGTERM, not exit code 0`);
    ledger.excuse(target);
    child.kill('SIGKILL');
  }

  async function pause({ afterMs, ms }: { afterMs: number; ms: number }): Promise<void> {
    await sleep(afterMs);
    child.kill('SIGSTOP');
    await sleep(ms);
    child.kill('SIGCONT');
  }
}

function expectNothing(rig: Rig, number: number) {
  const replica = rig.replicas[number];
  if (!replica) throw new Error(`there is no replica ${number + 1}`);
  replica.expected = false;
  return replica;
}

/** What a fault has to itself: two faults of the same do not overlap. */
export function concernOf(fault: Fault): string {
  if ('replica' in fault) return `replica ${fault.replica + 1}`;
  return fault.kind.startsWith('database') ? 'database' : fault.kind;
}
