import { mock } from 'node:test';
import { setImmediate as nextTurnOfTheLoop } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeTurns } from './turns';

const test = suite('turns');

// so that no pause ends before the test says so
test.before.each(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.after.each(() => mock.timers.reset());

/** Turns that take all who wait, and end when they are told to. */
function start(enough = Number.POSITIVE_INFINITY) {
  const turns: { size: number; end(): void }[] = [];
  let waiting = 0;
  const came = takeTurns(() => {
    if (waiting === 0) return undefined;
    const size = waiting;
    waiting = 0;
    return { size, done: new Promise<void>((end) => turns.push({ size, end })) };
  }, enough);
  const come = async (count: number) => {
    for (let n = 0; n < count; n++) {
      waiting++;
      came();
    }
    await nextTurnOfTheLoop();
  };
  const end = async () => {
    turns.at(-1)?.end();
    await nextTurnOfTheLoop();
  };
  return { come, end, sizes: () => turns.map(({ size }) => size) };
}

test('those who were just answered share the next turn with those who waited', async () => {
  const { come, end, sizes } = start();
  await come(2);
  await come(1);
  await end();
  await come(1);
  assert.equal(sizes(), [2]);
  await come(1);
  assert.equal(sizes(), [2, 3]);
});

test('nobody is waited for longer than the pause', async () => {
  const { come, end, sizes } = start();
  await come(2);
  await come(1);
  await end();
  assert.equal(sizes(), [2]);
  mock.timers.tick(10);
  await nextTurnOfTheLoop();
  assert.equal(sizes(), [2, 1]);
});

test('a pause in which nobody comes ends the turns until somebody does', async () => {
  const { come, end, sizes } = start();
  await come(2);
  await end();
  mock.timers.tick(10);
  await nextTurnOfTheLoop();
  await come(1);
  assert.equal(sizes(), [2, 1]);
});

test('a turn that fails is followed by the next', async () => {
  let waiting = 1;
  let turns = 0;
  const came = takeTurns(() => {
    if (waiting === 0) return undefined;
    waiting = 0;
    turns++;
    return { size: 1, done: Promise.reject(new Error('in vain')) };
  }, 1);
  came();
  await nextTurnOfTheLoop();
  waiting = 1;
  came();
  await nextTurnOfTheLoop();
  assert.is(turns, 2);
});

test('who comes alone does not wait', async () => {
  const { come, end, sizes } = start();
  for (let n = 0; n < 3; n++) {
    await come(1);
    await end();
  }
  assert.equal(sizes(), [1, 1, 1]);
});

test('enough of them do not wait for more', async () => {
  const { come, end, sizes } = start(3);
  await come(4);
  await come(3);
  await end();
  assert.equal(sizes(), [4, 3]);
});

test('a pause ends as soon as they are enough', async () => {
  const { come, end, sizes } = start(3);
  await come(4);
  await end();
  await come(2);
  assert.equal(sizes(), [4]);
  await come(1);
  assert.equal(sizes(), [4, 3]);
});

test.run();
