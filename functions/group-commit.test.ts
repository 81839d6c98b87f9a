import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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
    { count: 10, bytes: 100, stallMs: 60_000, ...limits },
  );
  const written: string[] = [];
  const failed: string[] = [];
  const put = (item: string, size = 1) =>
    void add(item, size).then(
      () => written.push(item),
      ({ message }) => failed.push(`${item}: ${message}`),
    );
  return { put, batches, written, failed };
}

test('what comes while a batch is written forms the next', async () => {
  const { put, batches, written } = start();
  put('a');
  put('b');
  await sleep(1);
  put('c');
  put('d');
  await sleep(1);
  assert.equal(
    batches.map(({ items }) => items),
    [['a', 'b']],
  );
  batches[0]?.answer();
  while (batches.length < 2) await sleep(1);
  assert.equal(written, ['a', 'b']);
  assert.equal(batches[1]?.items, ['c', 'd']);
  batches[1]?.answer();
  await sleep(1);
  put('e');
  while (batches.length < 3) await sleep(1);
  assert.equal(batches[2]?.items, ['e']);
  assert.equal(written, ['a', 'b', 'c', 'd']);
});

test('each is told its own end', async () => {
  const { put, batches, written, failed } = start();
  for (const item of ['a', 'b', 'c']) put(item);
  await sleep(1);
  const errors: Error[] = [];
  errors[1] = new Error('refused');
  batches[0]?.answer(errors);
  await sleep(1);
  assert.equal(written, ['a', 'c']);
  assert.equal(failed, ['b: refused']);
});

test('what a batch fails of, its items fail of, and the next is written', async () => {
  const { put, batches, written, failed } = start();
  put('a');
  await sleep(1);
  put('b');
  batches[0]?.fail(new Error('away'));
  while (batches.length < 2) await sleep(1);
  assert.equal(failed, ['a: away']);
  batches[1]?.answer();
  await sleep(1);
  assert.equal(written, ['b']);
});

test('a batch is bounded in count and in bytes', async () => {
  const { put, batches } = start({ count: 3, bytes: 100 });
  put('first');
  await sleep(1);
  for (const item of ['a', 'b', 'c', 'd']) put(item);
  for (const item of ['large', 'larger', 'largest']) put(item, 60);
  put('huge', 1000);
  for (let n = 0; n < 6; n++) {
    while (batches.length <= n) await sleep(1);
    batches[n]?.answer();
  }
  assert.equal(
    batches.map(({ items }) => items),
    [['first'], ['a', 'b', 'c'], ['d', 'large'], ['larger'], ['largest'], ['huge']],
  );
});

test('a batch that is not answered holds the next only for a while', async () => {
  const { put, batches, written } = start({ stallMs: 5 });
  put('a');
  await sleep(1);
  put('b');
  while (batches.length < 2) await sleep(1);
  batches[1]?.answer();
  await sleep(1);
  assert.equal(written, ['b']);
  batches[0]?.answer();
  await sleep(1);
  assert.equal(written, ['b', 'a']);
});

test.run();
