import { mock } from 'node:test';
import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pace } from './pace';
import { runInRounds, settled } from './rounds';

const test = suite('rounds');

// with fake timers, no pause ends before the test advances the clock
test.before.each(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.after.each(() => mock.timers.reset());

/** Lets as many rounds overlap. */
const paceOf = (rounds: number): Pace => ({
  limit: () => rounds,
  intervalMs: () => 25,
  ended() {},
});

/** Rounds that serve all waiting callers, and end when the test says so. */
function start(enough = Number.POSITIVE_INFINITY, overlapping = 3) {
  const rounds: { size: number; end(): void }[] = [];
  let waiting = 0;
  const arrived = runInRounds(
    () => {
      if (waiting === 0) return undefined;
      const size = waiting;
      waiting = 0;
      return { size, done: new Promise((end) => rounds.push({ size, end: () => end(true) })) };
    },
    enough,
    paceOf(overlapping),
  );
  const arrive = async (count: number) => {
    for (let n = 0; n < count; n++) {
      waiting++;
      arrived();
    }
    await nextLoopIteration();
  };
  const endRound = async (index = -1) => {
    rounds.at(index)?.end();
    await nextLoopIteration();
  };
  return { arrive, endRound, sizes: () => rounds.map(({ size }) => size) };
}

test('callers who were just served share the next round with those who waited', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(2);
  await arrive(1);
  await endRound();
  await arrive(1);
  assert.equal(sizes(), [2]);
  await arrive(1);
  assert.equal(sizes(), [2, 3]);
});

test('no caller waits longer than the pause', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(2);
  await arrive(1);
  await endRound();
  assert.equal(sizes(), [2]);
  mock.timers.tick(10);
  await nextLoopIteration();
  assert.equal(sizes(), [2, 1]);
});

test('after a pause without callers, rounds start again with the next caller', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(2);
  await endRound();
  mock.timers.tick(10);
  await nextLoopIteration();
  await arrive(1);
  assert.equal(sizes(), [2, 1]);
});

test('a failed round is followed by the next', async () => {
  let waiting = 1;
  let rounds = 0;
  const arrived = runInRounds(() => {
    if (waiting === 0) return undefined;
    waiting = 0;
    rounds++;
    return { size: 1, done: settled(Promise.reject(new Error('failed'))) };
  }, 1);
  arrived();
  await nextLoopIteration();
  waiting = 1;
  arrived();
  await nextLoopIteration();
  assert.is(rounds, 2);
});

test('the pace learns from rounds that have succeeded, and not from those that are not typical', async () => {
  const results = [
    () => Promise.resolve(1),
    () => Promise.resolve(2),
    () => Promise.reject(new Error('failed')),
  ];
  let learned = 0;
  const arrived = runInRounds(
    () => {
      const result = results.shift()?.();
      return result && { size: 1, done: settled(result, (number) => number === 1) };
    },
    1,
    { ...paceOf(3), ended: () => learned++ },
  );
  while (results.length > 0) {
    arrived();
    await nextLoopIteration();
  }
  assert.is(learned, 1);
});

test('a single caller is never delayed', async () => {
  const { arrive, endRound, sizes } = start();
  for (let n = 0; n < 3; n++) {
    await arrive(1);
    await endRound();
  }
  assert.equal(sizes(), [1, 1, 1]);
});

test('enough callers start a round without a pause', async () => {
  const { arrive, endRound, sizes } = start(3);
  await arrive(4);
  await arrive(3);
  await endRound();
  assert.equal(sizes(), [4, 3]);
});

test('a pause ends as soon as enough callers wait', async () => {
  const { arrive, endRound, sizes } = start(3);
  await arrive(4);
  await endRound();
  await arrive(2);
  assert.equal(sizes(), [4]);
  await arrive(1);
  assert.equal(sizes(), [4, 3]);
});

/** Lets the time pass after which a round may start while another is in flight. */
async function wait(): Promise<void> {
  mock.timers.tick(1000);
  await nextLoopIteration();
}

test('a round that takes long does not hold up the next', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(1);
  await endRound();
  await arrive(1);
  await arrive(2);
  assert.equal(sizes(), [1, 1]);
  await wait();
  assert.equal(sizes(), [1, 1, 2]);
});

test('rounds do not overlap if the pace does not allow it', async () => {
  const { arrive, endRound, sizes } = start(10, 1);
  await arrive(1);
  await arrive(1);
  await wait();
  assert.equal(sizes(), [1]);
  await endRound();
  assert.equal(sizes(), [1]);
  await wait();
  assert.equal(sizes(), [1, 1]);
});

test('as many rounds are in flight as the pace allows', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(1);
  await endRound();
  for (let size = 1; size <= 4; size++) {
    await arrive(size);
    await wait();
  }
  assert.equal(sizes(), [1, 1, 2, 3]);
  await endRound(1);
  await wait();
  assert.equal(sizes(), [1, 1, 2, 3, 4]);
});

test('a pause waits for the callers of all rounds that ended in it', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(3);
  await arrive(1);
  await wait();
  await endRound(0);
  await endRound(1);
  await arrive(3);
  assert.equal(sizes(), [3, 1]);
  await arrive(1);
  assert.equal(sizes(), [3, 1, 4]);
});

test('after rounds that overlapped, rounds start again with the next caller', async () => {
  const { arrive, endRound, sizes } = start();
  await arrive(1);
  await endRound();
  await arrive(1);
  await arrive(1);
  await wait();
  await endRound(1);
  await endRound(2);
  await wait();
  await arrive(1);
  assert.equal(sizes(), [1, 1, 1, 1]);
});

test.run();
