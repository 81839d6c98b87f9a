import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { serviceSource } from '../../load/chaos/document-sources';
import { type Ledger, startLedger, type Verdict } from '../../load/chaos/ledger';
import { mongoshAsRoot } from './mongosh';
import { waitForMongo } from './pods';
import { retry } from './retry';
import { sendRequest, type Variant, variants } from './variants';

/**
 * Stores a document, and reads it from both variants after a disaster.
 *
 * @returns a line for the table of results
 */
export async function documentSurvives(disaster: () => Promise<unknown>): Promise<string> {
  const [writer, reader] = variants as [Variant, Variant];
  const { id } = await sendRequest(writer, '/data', { test: 'persistence' });
  await disaster();
  await waitForMongo();
  for (const variant of [writer, reader]) {
    const document = await retry(() => sendRequest(variant, `/data/${id}`));
    assert.equal(document.data, { test: 'persistence' });
  }
  return `${id} is still stored`;
}

/**
 * Deletes all documents of the single server, posts others to both variants during an action, and then
 * checks what is stored.
 *
 * @param action may tell the ledger which connection errors to expect
 */
export async function acknowledgedWritesSurvive(
  action: (ledger: Ledger) => Promise<void>,
): Promise<Verdict> {
  await mongoshAsRoot('admin.getSiblingDB(process.env.MONGO_DATABASE).documents.deleteMany({})');
  return firstWritesSurvive(action);
}

/** The same on a database that has no documents yet. */
export async function firstWritesSurvive(
  action: (ledger: Ledger) => Promise<void>,
): Promise<Verdict> {
  const ledger = startLedger({ targets: variants, writers: 8, pauseMs: 200 });
  try {
    await sleep(2000);
    await action(ledger);
    await sleep(2000);
  } finally {
    await ledger.stop();
  }
  const verdict = await ledger.check(serviceSource(variants[0] as Variant));
  assert.equal(verdict.failures, [], JSON.stringify(verdict, null, 1));
  return verdict;
}

/**
 * Fails unless every post got its 201.
 *
 * @returns a line for the table of results
 */
export function allAcknowledged({ outcomes, ...verdict }: Verdict): string {
  assert.equal(
    outcomes.map(({ outcome }) => outcome),
    ['201'],
    JSON.stringify(outcomes),
  );
  return summarize(verdict);
}

/** A line for the table of results. */
export function summarize({
  acknowledged,
  documents,
  longestGapMs,
}: Pick<Verdict, 'acknowledged' | 'documents' | 'longestGapMs'>): string {
  const gaps = Object.entries(longestGapMs).map(([name, ms]) => `${name} ${ms} ms`);
  return `${acknowledged} of ${documents} acknowledged, all stored once; longest time without a 201: ${gaps.join(', ')}`;
}
