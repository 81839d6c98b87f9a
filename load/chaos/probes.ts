import { setTimeout as sleep } from 'node:timers/promises';
import { sendRequest } from './http-client';
import type { Rig } from './rig';

/** How long `/livez` may take, in ms; longer than a kubelet waits, as this machine is busier. */
const timeoutMs = 5000;

/**
 * Probes the liveness of each replica four times a second, and measures its memory. A replica that
 * exited by itself is replaced.
 *
 * @param reportFailure is called when that happens, and when `/livez` is not 200 in time
 * @returns a function that stops the probes
 */
export function startProbes(rig: Rig, reportFailure: (line: string) => void): () => Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const probing = rig.targets.map(async (_, index) => {
    while (!signal.aborted) {
      await probe(index);
      await sleep(250, undefined, { signal }).catch(() => {});
    }
  });

  async function probe(index: number): Promise<void> {
    const replica = rig.replicas[index];
    if (!replica) return;
    replica.peakMb();
    if (!replica.shouldRespond) return;
    if (replica.child.exitCode !== null || replica.child.signalCode !== null) {
      reportFailure(`${replica.target.name} exited by itself with ${await replica.exited}`);
      await rig.replace(index);
      return;
    }
    const result = await sendRequest(replica.target, { path: '/livez' });
    const { status, code, startedAt, endedAt } = result;
    const ms = Math.round(endedAt - startedAt);
    if (!replica.shouldRespond || (status === 200 && ms <= timeoutMs)) return;
    reportFailure(`${replica.target.name}: /livez ${status ?? code} after ${ms} ms`);
  }

  return async () => {
    stop.abort();
    await Promise.all(probing);
  };
}
