import { setTimeout as sleep } from 'node:timers/promises';
import { send } from './client';
import type { Rig } from './rig';

/** How long `/livez` may take, in ms: a kubelet gives it less, on a machine that is less busy. */
const patienceMs = 5000;

/**
 * Asks each replica whether it lives, four times a second, and measures its memory. One that has
 * ended by itself is replaced.
 *
 * @param failed gets that, each answer but 200 of one that should answer, and each that comes late
 * @returns ends it
 */
export function startProbes(rig: Rig, failed: (line: string) => void): () => Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const probing = rig.targets.map(async (_, number) => {
    while (!signal.aborted) {
      await probe(number);
      await sleep(250, undefined, { signal }).catch(() => {});
    }
  });

  async function probe(number: number): Promise<void> {
    const replica = rig.replicas[number];
    if (!replica) return;
    replica.peakMb();
    if (!replica.expected) return;
    if (replica.child.exitCode !== null || replica.child.signalCode !== null) {
      failed(`${replica.target.name} ended by itself with ${await replica.exited}`);
      await rig.replace(number);
      return;
    }
    const { status, code, startedAt, endedAt } = await send(replica.target, { path: '/livez' });
    const ms = Math.round(endedAt - startedAt);
    if (!replica.expected || (status === 200 && ms <= patienceMs)) return;
    failed(`${replica.target.name}: /livez ${status ?? code} after ${ms} ms`);
  }

  return async () => {
    stop.abort();
    await Promise.all(probing);
  };
}
