import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod/mini';
import { dateOf, newId } from './id';

const test = suite('ids');

const { now } = Date;
test.after.each(() => {
  Date.now = now;
});

test('an id is a UUIDv7 that tells its moment', () => {
  const before = Date.now();
  const id = newId();
  assert.is(z.uuidv7().parse(id), id);
  assert.ok(dateOf(id).getTime() >= before && dateOf(id).getTime() <= Date.now());
});

test('ids sort as they were made, however many a millisecond has', () => {
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

test('a clock that is set back changes nothing about that', () => {
  const first = newId();
  Date.now = () => now() - 60_000;
  assert.ok(newId() > first);
});

test('what is random in it differs', () => {
  const tails = Array.from({ length: 1000 }, () => newId().slice(19));
  assert.is(new Set(tails).size, 1000);
});

test.run();
