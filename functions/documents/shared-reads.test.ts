import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../testing/testing';
import { sharedReads } from './shared-reads';

const test = suite('shared reads');

/** A reader whose queries see the value that there was when they were sent. */
function start() {
  const queries: { key: string; answer(): void; fail(): void }[] = [];
  let value = 0;
  const disposed: number[] = [];
  const shared = sharedReads<number>(
    (key) => {
      const seen = value;
      return new Promise((resolve, reject) => {
        queries.push({ key, answer: () => resolve(seen), fail: () => reject(new Error(key)) });
      });
    },
    (result) => disposed.push(result),
  );
  const read = (key: string) => shared(key).then(({ value }) => value);
  const sent = async (count: number) => {
    await until(async () => queries.length >= count);
    return queries[count - 1] as (typeof queries)[number];
  };
  return { read, shared, disposed, queries, sent, write: () => ++value };
}

test('who comes while a query is under way shares the next, and so sees what was written', async () => {
  const { read, queries, sent, write } = start();
  const first = read('a');
  const query = await sent(1);
  const before = write();
  const second = read('a');
  const after = write();
  const third = read('a');
  assert.is(queries.length, 1);
  query.answer();
  assert.is(await first, 0);
  (await sent(2)).answer();
  assert.ok((await second) >= before);
  assert.ok((await third) >= after);
  assert.is(await second, await third);
  assert.is(queries.length, 2);
});

test('a query that was answered is shared by nobody who comes later', async () => {
  const { read, sent, write } = start();
  const first = read('a');
  (await sent(1)).answer();
  await first;
  const written = write();
  const second = read('a');
  (await sent(2)).answer();
  assert.is(await second, written);
});

test('reads that are not identical share nothing and wait for nothing', async () => {
  const { read, queries, sent } = start();
  const both = [read('a'), read('b')];
  await sent(2);
  assert.equal(
    queries.map(({ key }) => key),
    ['a', 'b'],
  );
  for (const { answer } of queries) answer();
  await Promise.all(both);
});

test('a query that fails fails for those who share it, and the next is sent', async () => {
  const { read, sent } = start();
  const outcome = () => read('a').then(String, ({ message }) => `failed: ${message}`);
  const first = [outcome(), outcome()];
  const query = await sent(1);
  const second = outcome();
  query.fail();
  (await sent(2)).answer();
  assert.equal(await Promise.all(first), ['failed: a', 'failed: a']);
  assert.is(await second, '0');
});

test('a result is disposed of when all who share it have released it', async () => {
  const { shared, disposed, sent } = start();
  const both = [shared('a'), shared('a')];
  (await sent(1)).answer();
  const [one, other] = await Promise.all(both);
  one?.release();
  assert.equal(disposed, []);
  other?.release();
  assert.equal(disposed, [0]);
});

test.run();
