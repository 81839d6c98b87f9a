import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats an attempt every second until it succeeds.
 *
 * @throws the error of the last attempt, after a minute
 */
export async function retry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures === 60) throw error;
      await sleep(1000);
    }
  }
}
