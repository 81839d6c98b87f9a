import { mock } from 'node:test';
import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runInRounds, settled } from './rounds';

const test = suite('rounds');

// with fake timers, no pause ends before the test advances the clock
test.before.each(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.after.each(() => mock.timers.reset());

/** Rounds that serve all waiting callers, and end when the test says so. */
function start(enough = Number.POSITIVE_INFINITY) {
  const rounds: { size: number; end(): void }[] = [];
  let waiting = 0;
  const arrived = runInRounds(() => {
    if (waiting === 0) return undefined;
    const size = waiting;
    waiting = 0;
    return { size, done: new Promise<void>((end) => rounds.push({ size, end })) };
  }, enough);
  const arrive = async (count: number) => {
    for (let n = 0; n < count; n++) {
      waiting++;
      arrived();
    }
    await nextLoopIteration();
  };
  const endRound = async () => {
    rounds.at(-1)?.end();
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

test.run();
