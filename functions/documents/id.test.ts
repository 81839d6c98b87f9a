import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod/mini';
import { dateOf, newId } from './id';

const test = suite('ids');

const { now } = Date;
test.after.each(() => {
  Date.now = now;
});

test('an id is a UUIDv7 with the time at which it was made', () => {
  const before = Date.now();
  const id = newId();
  assert.is(z.uuidv7().parse(id), id);
  assert.ok(dateOf(id).getTime() >= before && dateOf(id).getTime() <= Date.now());
});

test('ids sort in the order in which they were made, also within a millisecond', () => {
  const ms = Date.now() + 1000;
  Date.now = () => ms;
  const ids = Array.from({ length: 10_000 }, newId);
  assert.equal([...new Set(ids)].sort(), ids);
  assert.equal(
    ids.filter((id) => z.uuidv7().safeParse(id).error),
    [],
  );
  assert.is(dateOf(ids[4095] ?? '').getTime(), ms);
  assert.is(dateOf(ids[4096] ?? '').getTime(), ms + 1);
});

test('ids still sort in order when the clock is set back', () => {
  const first = newId();
  Date.now = () => now() - 60_000;
  assert.ok(newId() > first);
});

test('the random bits differ', () => {
  const tails = Array.from({ length: 1000 }, () => newId().slice(19));
  assert.is(new Set(tails).size, 1000);
});

test.run();
