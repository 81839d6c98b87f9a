import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../testing/testing';
import { sharedReads } from './shared-reads';

const test = suite('shared reads');

/** Reads of a value, as it is when their query is sent. Queries end when the test says so. */
function start() {
  const queries: { key: string; succeed(): void; fail(): void }[] = [];
  let value = 0;
  const disposed: number[] = [];
  const shared = sharedReads<string, number>(
    (key) => {
      const seen = value;
      return new Promise((resolve, reject) => {
        queries.push({ key, succeed: () => resolve(seen), fail: () => reject(new Error(key)) });
      });
    },
    (result) => disposed.push(result),
  );
  const read = (key: string) => shared(key).then(({ value }) => value);
  /** Waits until so many queries were sent. @returns the last of them */
  const sent = async (count: number) => {
    await until(async () => queries.length >= count);
    return queries[count - 1] as (typeof queries)[number];
  };
  return { read, shared, disposed, queries, sent, write: () => ++value };
}

test('calls during a query share the next, and so see what was written before', async () => {
  const { read, queries, sent, write } = start();
  const first = read('a');
  const query = await sent(1);
  const before = write();
  const second = read('a');
  const after = write();
  const third = read('a');
  assert.is(queries.length, 1);
  query.succeed();
  assert.is(await first, 0);
  (await sent(2)).succeed();
  assert.ok((await second) >= before);
  assert.ok((await third) >= after);
  assert.is(await second, await third);
  assert.is(queries.length, 2);
});

test('a query that takes long does not hold up the next, which sees what was written since', async () => {
  const { read, sent, write } = start();
  const first = read('a');
  const query = await sent(1);
  const slow = read('a');
  query.succeed();
  await first;
  const slowQuery = await sent(2);
  const written = write();
  const second = read('a');
  (await sent(3)).succeed();
  assert.is(await second, written);
  slowQuery.succeed();
  assert.is(await slow, written - 1);
});

test('a query that has ended is not shared with later calls', async () => {
  const { read, sent, write } = start();
  const first = read('a');
  (await sent(1)).succeed();
  await first;
  const written = write();
  const second = read('a');
  (await sent(2)).succeed();
  assert.is(await second, written);
});

test('reads that are not identical neither share a query nor wait for each other', async () => {
  const { read, queries, sent } = start();
  const both = [read('a'), read('b')];
  await sent(2);
  assert.equal(
    queries.map(({ key }) => key),
    ['a', 'b'],
  );
  for (const { succeed } of queries) succeed();
  await Promise.all(both);
});

test('a query that fails, fails for all its callers, and the next is sent', async () => {
  const { read, sent } = start();
  const outcome = () => read('a').then(String, ({ message }) => `failed: ${message}`);
  const first = [outcome(), outcome()];
  const query = await sent(1);
  const second = outcome();
  query.fail();
  (await sent(2)).succeed();
  assert.equal(await Promise.all(first), ['failed: a', 'failed: a']);
  assert.is(await second, '0');
});

test('a result is disposed of when all its callers have released it', async () => {
  const { shared, disposed, sent } = start();
  const both = [shared('a'), shared('a')];
  (await sent(1)).succeed();
  const [one, other] = await Promise.all(both);
  one?.release();
  assert.equal(disposed, []);
  other?.release();
  assert.equal(disposed, [0]);
});

test('a result is not kept in memory while the next query runs', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const queries: ((result: object) => void)[] = [];
  const read = sharedReads<string, object>(
    () => new Promise((resolve) => queries.push(resolve)),
    () => {},
  );
  let result: WeakRef<object> | undefined;
  void read('a').then(({ value }) => {
    result = new WeakRef(value);
  });
  await until(async () => queries.length === 1);
  const next = read('a');
  queries[0]?.({});
  await until(async () => queries.length === 2);
  queries.shift();
  await until(async () => {
    collectGarbage();
    return result !== undefined && result.deref() === undefined;
  });
  queries[0]?.({});
  await next;
});

test.run();
