import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { kubectl } from './commands';
import { assertNoFailures, startLoad } from './load';
import type { Variant } from './variants';

/**
 * Puts load on a variant that has settled at 2 replicas until it has 5, then waits until it has 2 again.
 *
 * @param settings of load/soak.js
 * @param poll is called every second meanwhile
 * @returns a line for the table of results
 */
export async function scalesUpAndDown(
  variant: Variant,
  settings: Record<string, string>,
  poll: () => Promise<void> = async () => {},
): Promise<string> {
  const waitForReplicas = async (count: number, timeoutSeconds: number) => {
    const startedAt = Date.now();
    for (;;) {
      await poll();
      const ready = await countReadyPods(variant);
      const seconds = (Date.now() - startedAt) / 1000;
      if (ready === count) return Math.round(seconds);
      assert.ok(
        seconds < timeoutSeconds,
        `${ready} replicas, not ${count}, after ${timeoutSeconds} s`,
      );
      await sleep(1000);
    }
  };
  await waitForReplicas(2, 180);
  const load = startLoad(variant, { ...settings, DURATION: '240s' });
  let secondsUp: number;
  try {
    secondsUp = await waitForReplicas(5, 240);
  } finally {
    load.stop();
  }
  const result = await load.result;
  assertNoFailures(result);
  const secondsDown = await waitForReplicas(2, 300);
  return `5 replicas after ${secondsUp} s, 2 again ${secondsDown} s after the load; ${result.requests} requests, 0 failed`;
}

async function countReadyPods({ selector }: Variant): Promise<number> {
  const ready = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const lines = await kubectl(
    ...['get', 'pods', '-l', selector, '--field-selector', 'status.phase=Running'],
    ...['-o', `jsonpath=${ready}`],
  );
  return lines.split('\n').filter((line) => line === 'True').length;
}
