import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../testing/testing';
import { groupCommit, type Limits } from './group-commit';

const test = suite('group commit');

/** A writer that answers when it is told to. */
function start(limits: Partial<Limits> = {}) {
  const batches: { items: string[]; answer(errors?: Error[]): void; fail(error: Error): void }[] =
    [];
  const add = groupCommit<string>(
    (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, answer: (errors = []) => resolve(errors), fail: reject });
      }),
    { count: 10, bytes: 100, ...limits },
  );
  const written: string[] = [];
  const failed: string[] = [];
  const put = (item: string, size = 1, since = 0) =>
    void add(item, size, since).then(
      () => written.push(item),
      ({ message }) => failed.push(`${item}: ${message}`),
    );
  const sent = async (count: number) => {
    await until(async () => batches.length >= count);
    return batches[count - 1] as (typeof batches)[number];
  };
  const told = (count: number) => until(async () => written.length + failed.length >= count);
  return { put, batches, sent, told, written, failed };
}

test('what comes while a batch is written forms the next', async () => {
  const { put, batches, sent, told, written } = start();
  put('a');
  put('b');
  const first = await sent(1);
  assert.equal(first.items, ['a', 'b']);
  put('c');
  put('d');
  await sleep(5);
  assert.is(batches.length, 1);
  first.answer();
  await told(2);
  assert.equal(written, ['a', 'b']);
  const second = await sent(2);
  assert.equal(second.items, ['c', 'd']);
  second.answer();
  await told(4);
  put('e');
  assert.equal((await sent(3)).items, ['e']);
  assert.equal(written, ['a', 'b', 'c', 'd']);
});

test('each is told its own end', async () => {
  const { put, sent, told, written, failed } = start();
  for (const item of ['a', 'b', 'c']) put(item);
  const errors: Error[] = [];
  errors[1] = new Error('refused');
  (await sent(1)).answer(errors);
  await told(3);
  assert.equal(written, ['a', 'c']);
  assert.equal(failed, ['b: refused']);
});

test('what a batch fails of, its items fail of, and the next is written', async () => {
  const { put, sent, told, written, failed } = start();
  put('a');
  const first = await sent(1);
  put('b');
  first.fail(new Error('away'));
  (await sent(2)).answer();
  await told(2);
  assert.equal(failed, ['a: away']);
  assert.equal(written, ['b']);
});

test('a batch is bounded in count and in bytes', async () => {
  const { put, batches, sent } = start({ count: 3, bytes: 100 });
  put('first');
  const first = await sent(1);
  for (const item of ['a', 'b', 'c', 'd']) put(item);
  for (const item of ['large', 'larger', 'largest']) put(item, 60);
  put('huge', 1000);
  first.answer();
  for (let count = 2; count <= 6; count++) (await sent(count)).answer();
  assert.equal(
    batches.map(({ items }) => items),
    [['first'], ['a', 'b', 'c'], ['d', 'large'], ['larger'], ['largest'], ['huge']],
  );
});

test('whoever comes much later than the first of a batch begins another, with its own deadline', async () => {
  const { put, sent } = start();
  put('a');
  const first = await sent(1);
  put('b', 1, 1000);
  put('c', 1, 1101);
  first.answer();
  const second = await sent(2);
  assert.equal(second.items, ['b']);
  second.answer();
  assert.equal((await sent(3)).items, ['c']);
});

test.run();
