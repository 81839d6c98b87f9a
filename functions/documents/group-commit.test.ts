import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../testing/testing';
import { type BatchLimits, groupCommit } from './group-commit';

const test = suite('group commit');

/** A group commit whose writes end when the test says so. */
function start(limits: Partial<BatchLimits> = {}) {
  const batches: { items: string[]; end(errors?: Error[]): void; fail(error: Error): void }[] = [];
  const add = groupCommit<string>(
    (items) =>
      new Promise((resolve, reject) => {
        batches.push({
          items,
          end: (outcomes = []) => resolve({ outcomes, isTypical: true }),
          fail: reject,
        });
      }),
    { count: 10, bytes: 100, ...limits },
  );
  const written: string[] = [];
  const failed: string[] = [];
  const put = (item: string, size = 1, arrivedAt = 0) =>
    void add(item, size, arrivedAt).then(
      () => written.push(item),
      ({ message }) => failed.push(`${item}: ${message}`),
    );
  /** Waits until so many batches were sent. @returns the last of them */
  const sent = async (count: number) => {
    await until(async () => batches.length >= count);
    return batches[count - 1] as (typeof batches)[number];
  };
  const settled = (count: number) => until(async () => written.length + failed.length >= count);
  return { put, batches, sent, settled, written, failed };
}

test('items that arrive while a batch is written form the next', async () => {
  const { put, batches, sent, settled, written } = start();
  put('a');
  put('b');
  const first = await sent(1);
  assert.equal(first.items, ['a', 'b']);
  put('c');
  put('d');
  await sleep(5);
  assert.is(batches.length, 1);
  first.end();
  await settled(2);
  assert.equal(written, ['a', 'b']);
  const second = await sent(2);
  assert.equal(second.items, ['c', 'd']);
  second.end();
  await settled(4);
  put('e');
  assert.equal((await sent(3)).items, ['e']);
  assert.equal(written, ['a', 'b', 'c', 'd']);
});

test('a batch that takes long does not hold up the next', async () => {
  const { put, sent, settled, written } = start();
  put('a');
  (await sent(1)).end();
  await settled(1);
  put('b');
  const slow = await sent(2);
  put('c');
  (await sent(3)).end();
  await settled(2);
  assert.equal(written, ['a', 'c']);
  slow.end();
  await settled(3);
});

test('each item gets its own outcome', async () => {
  const { put, sent, settled, written, failed } = start();
  for (const item of ['a', 'b', 'c']) put(item);
  const errors: Error[] = [];
  errors[1] = new Error('refused');
  (await sent(1)).end(errors);
  await settled(3);
  assert.equal(written, ['a', 'c']);
  assert.equal(failed, ['b: refused']);
});

test('a batch that fails, fails for all its items, and the next is written', async () => {
  const { put, sent, settled, written, failed } = start();
  put('a');
  const first = await sent(1);
  put('b');
  first.fail(new Error('unreachable'));
  (await sent(2)).end();
  await settled(2);
  assert.equal(failed, ['a: unreachable']);
  assert.equal(written, ['b']);
});

test('a batch is bounded in count and in bytes', async () => {
  const { put, batches, sent } = start({ count: 3, bytes: 100 });
  put('first');
  const first = await sent(1);
  for (const item of ['a', 'b', 'c', 'd']) put(item);
  for (const item of ['large', 'larger', 'largest']) put(item, 60);
  put('huge', 1000);
  first.end();
  for (let count = 2; count <= 6; count++) (await sent(count)).end();
  assert.equal(
    batches.map(({ items }) => items),
    [['first'], ['a', 'b', 'c'], ['d', 'large'], ['larger'], ['largest'], ['huge']],
  );
});

test('an item that arrives much later than the first starts another batch', async () => {
  const { put, sent } = start();
  put('a');
  const first = await sent(1);
  put('b', 1, 1000);
  put('c', 1, 1101);
  first.end();
  const second = await sent(2);
  assert.equal(second.items, ['b']);
  second.end();
  assert.equal((await sent(3)).items, ['c']);
});

test('what arrives during a slow write fits into the next batch', async () => {
  const { put, sent, settled } = start();
  put('a');
  const slow = await sent(1);
  await sleep(150); // how long the write takes
  slow.end();
  await settled(1);
  put('b', 1, 1000);
  const second = await sent(2);
  put('c', 1, 1000);
  put('d', 1, 1299);
  put('e', 1, 2001);
  second.end();
  const third = await sent(3);
  assert.equal(third.items, ['c', 'd']);
  third.end();
  assert.equal((await sent(4)).items, ['e']);
});

test.run();
