import { setImmediate as nextTurn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fairQueue } from './fair-queue';

const test = suite('fair queue');

test('requests are begun in their order, 64 in each turn of the event loop', async () => {
  const enqueue = fairQueue();
  const begun: number[] = [];
  const add = (from: number, to: number) => {
    for (let n = from; n < to; n++) enqueue(() => begun.push(n));
  };
  add(0, 3000);
  const counts = [begun.length];
  while (begun.length < 3100) {
    await nextTurn();
    counts.push(begun.length);
    if (counts.length === 3) add(3000, 3100);
  }
  assert.equal(counts.slice(0, 3), [64, 128, 192]);
  assert.is(counts.at(-1), 3100);
  assert.is(counts.length, Math.ceil(3100 / 64));
  assert.equal(begun, [...Array(3100).keys()]);
});

test('a request that arrives alone is begun at once, also after a queue', async () => {
  const enqueue = fairQueue();
  for (let n = 0; n < 64; n++) enqueue(() => {});
  await nextTurn();
  for (let n = 0; n < 200; n++) {
    let isBegun = false;
    enqueue(() => {
      isBegun = true;
    });
    assert.ok(isBegun, `${n}`);
    await nextTurn();
  }
});

test.run();
