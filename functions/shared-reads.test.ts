import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sharedReads } from './shared-reads';

const test = suite('shared reads');

/** A reader whose queries see the value that there was when they were sent. */
function start(stallMs = 60_000) {
  const queries: { key: string; answer(): void; fail(): void }[] = [];
  let value = 0;
  const read = sharedReads<number>((key) => {
    const seen = value;
    return new Promise((resolve, reject) => {
      queries.push({ key, answer: () => resolve(seen), fail: () => reject(new Error(key)) });
    });
  }, stallMs);
  return { read, queries, write: () => ++value };
}

test('who comes while a query is under way shares the next, and so sees what was written', async () => {
  const { read, queries, write } = start();
  const first = read('a');
  await sleep(1);
  const before = write();
  const second = read('a');
  const after = write();
  const third = read('a');
  assert.is(queries.length, 1);
  queries[0]?.answer();
  assert.is(await first, 0);
  while (queries.length < 2) await sleep(1);
  queries[1]?.answer();
  assert.ok((await second) >= before);
  assert.ok((await third) >= after);
  assert.is(await second, await third);
});

test('a query under way is shared by nobody who comes later', async () => {
  const { read, queries, write } = start();
  const first = read('a');
  await sleep(1);
  queries[0]?.answer();
  await first;
  const written = write();
  const second = read('a');
  while (queries.length < 2) await sleep(1);
  queries[1]?.answer();
  assert.is(await second, written);
});

test('reads that are not identical share nothing and wait for nothing', async () => {
  const { read, queries } = start();
  void read('a');
  void read('b');
  await sleep(1);
  assert.equal(
    queries.map(({ key }) => key),
    ['a', 'b'],
  );
});

test('a query that fails fails for those who share it, and the next is sent', async () => {
  const { read, queries } = start();
  const outcome = () => read('a').then(String, ({ message }) => `failed: ${message}`);
  const first = [outcome(), outcome()];
  await sleep(1);
  const second = outcome();
  queries[0]?.fail();
  while (queries.length < 2) await sleep(1);
  queries[1]?.answer();
  assert.equal(await Promise.all(first), ['failed: a', 'failed: a']);
  assert.is(await second, '0');
});

test('a query that is not answered holds the next only for a while', async () => {
  const { read, queries } = start(5);
  void read('a');
  await sleep(1);
  const second = read('a');
  while (queries.length < 2) await sleep(1);
  queries[1]?.answer();
  assert.is(await second, 0);
});

test.run();
