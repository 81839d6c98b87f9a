import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPace } from './pace';

const test = suite('pace');

/** A pace that lets three rounds overlap, which usually take 300 ms. */
function start() {
  const pace = createPace();
  pace.ended(300, true);
  pace.ended(300, false);
  return pace;
}

test('the first round runs alone', () => {
  const pace = createPace();
  assert.is(pace.limit(), 1);
  pace.ended(300, true);
  assert.is(pace.limit(), 2);
});

test('up to three rounds are spread over the time that one takes', () => {
  const pace = start();
  assert.is(pace.limit(), 3);
  assert.is(pace.intervalMs(), 100);
  pace.ended(300, false);
  assert.is(pace.limit(), 3);
});

test('short rounds do not start in quick succession', () => {
  const pace = createPace();
  pace.ended(2, true);
  assert.is(pace.intervalMs(), 25);
});

test('rounds that delay each other run one after another', () => {
  const pace = start();
  pace.ended(900, false);
  assert.is(pace.limit(), 2);
  pace.ended(600, false);
  assert.is(pace.limit(), 1);
  pace.ended(600, false);
  assert.is(pace.limit(), 1);
});

test('rounds that overlap may take a little longer', () => {
  const pace = start();
  pace.ended(400, false);
  assert.is(pace.limit(), 3);
});

test('rounds overlap again, first two, after eight have run alone', () => {
  const pace = start();
  for (let n = 0; n < 2; n++) pace.ended(900, false);
  for (let n = 0; n < 7; n++) pace.ended(300, true);
  assert.is(pace.limit(), 1);
  pace.ended(300, true);
  assert.is(pace.limit(), 2);
  pace.ended(300, false);
  assert.is(pace.limit(), 3);
});

test('the usual time follows the database, and not what delayed a round', () => {
  const pace = start();
  pace.ended(900, false);
  assert.is(pace.intervalMs(), 100);
  for (let n = 0; n < 20; n++) pace.ended(150, false);
  assert.is(Math.round(pace.intervalMs()), 50);
  for (let n = 0; n < 30; n++) pace.ended(600, true);
  assert.is(Math.round(pace.intervalMs()), 200);
});

test.run();
