import { mkdirSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kubectl } from './commands';
import { deleteNamespaces } from './namespaces';

const test = suite('end to end');
const results: { title: string; result: string; seconds: number; failed: boolean }[] = [];

/**
 * Adds a step. After one has failed, the later ones fail at once.
 *
 * @param action returns the result for the table that is printed at the end
 */
export function step(title: string, action: () => Promise<string>): void {
  test(title, async () => {
    assert.not(
      results.some(({ failed }) => failed),
      'an earlier step failed',
    );
    const startedAt = performance.now();
    const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10;
    try {
      results.push({ title, result: await action(), seconds: seconds(), failed: false });
    } catch (error) {
      const result = `FAILED: ${(error as Error).message}`;
      results.push({ title, result, seconds: seconds(), failed: true });
      throw error;
    }
  });
}

/** Runs the steps, prints their results, and deletes the namespaces. */
export function runSteps(): void {
  test.after(async () => {
    console.log(`\n${resultTable()}\n`);
    if (results.some(({ failed }) => failed)) await saveEvidence();
    await deleteNamespaces();
  });
  test.run();
}

function resultTable(): string {
  const width = Math.max(...results.map(({ title }) => title.length));
  return results
    .map(
      ({ title, result, seconds }) =>
        `${title.padEnd(width)}  ${String(seconds).padStart(6)} s  ${result}`,
    )
    .join('\n');
}

/** Saves logs, objects and events, as the namespace is about to be deleted. */
async function saveEvidence(): Promise<void> {
  mkdirSync('.e2e', { recursive: true });
  const save = async (file: string, ...args: string[]) =>
    writeFileSync(`.e2e/${file}`, await kubectl(...args).catch(String));
  await save('objects.txt', 'get', 'all,ksvc,podautoscaler,pvc', '-o', 'wide');
  await save('events.txt', 'get', 'events', '--sort-by', '.lastTimestamp');
  for (const pod of (await kubectl('get', 'pods', '-o', 'name')).trim().split('\n')) {
    await save(`${pod.replace('pod/', '')}.log`, 'logs', pod, '--all-containers', '--tail=2000');
  }
  console.log('Logs, objects and events are in .e2e/');
}
