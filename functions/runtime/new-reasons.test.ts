import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newReasons } from './new-reasons';

const test = suite('new reasons');

test('reasons that take turns are new once', () => {
  const isNew = newReasons(60_000);
  assert.equal(['a', 'b', 'a', 'b', 'a'].map(isNew), [true, true, false, false, false]);
});

test('after the interval they are new again', () => {
  const isNew = newReasons(0);
  assert.equal(['a', 'a'].map(isNew), [true, true]);
});

test('ten reasons at most, however much they differ', () => {
  const isNew = newReasons(60_000);
  const reasons = Array.from({ length: 100 }, (_, i) => `waited ${i} ms`);
  assert.is(reasons.filter(isNew).length, 10);
});

test.run();
