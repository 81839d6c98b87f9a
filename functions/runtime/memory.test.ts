import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Overloaded } from './errors';
import { createMemory, type Kind, type Memory, type Reservation } from './memory';

/** A deadline that no test waits for, and one that has passed. */
const distant = () => performance.now() + 60_000;
const passed = () => performance.now();

/** Reserves memory, and records the name of the request when that succeeds or fails. */
function reserve(memory: Memory, settled: string[], name: string, bytes: number, kind: Kind) {
  const reservation = memory.reserve(bytes, kind, distant());
  reservation.then(
    () => settled.push(name),
    (error) => settled.push(`${name}: ${error.name}`),
  );
  return reservation;
}

async function errorOf(reservation: Promise<Reservation>): Promise<unknown> {
  return reservation.then(
    () => undefined,
    (error) => error,
  );
}

test('memory is reserved until it is released', async () => {
  const memory = createMemory(1000);
  const reservation = await memory.reserve(600, 'post', passed());
  assert.is(reservation.bytes, 600);
  assert.equal(memory.usage(), { bytes: 600, waiting: 0 });
  reservation.release();
  reservation.release();
  assert.equal(memory.usage(), { bytes: 0, waiting: 0 });
});

test('requests wait in order of arrival', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const full = await memory.reserve(1000, 'post', passed());
  const first = reserve(memory, settled, 'first', 700, 'post');
  const second = reserve(memory, settled, 'second', 500, 'post');
  // would fit beside the first
  const third = reserve(memory, settled, 'third', 100, 'post');
  assert.is(memory.usage().waiting, 3);

  full.release();
  await nextLoopIteration();
  assert.equal(settled, ['first']);
  (await first).release();
  await Promise.all([second, third]);
  assert.equal(settled, ['first', 'second', 'third']);
  assert.equal(memory.usage(), { bytes: 600, waiting: 0 });
});

test('a small request does not overtake a large one that waits', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const half = await memory.reserve(500, 'post', passed());
  reserve(memory, settled, 'large', 600, 'post');
  reserve(memory, settled, 'small', 100, 'post');
  await nextLoopIteration();
  assert.equal(settled, []);
  half.release();
  await nextLoopIteration();
  assert.equal(settled, ['large', 'small']);
});

test('posts go before reads that arrived earlier', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const full = await memory.reserve(1000, 'post', passed());
  const read = reserve(memory, settled, 'read', 500, 'read');
  const post = reserve(memory, settled, 'post', 1000, 'post');
  full.release();
  (await post).release();
  await read;
  assert.equal(settled, ['post', 'read']);
});

test('reads get three quarters of the budget, posts all of it', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const reads = await memory.reserve(750, 'read', passed());
  const read = reserve(memory, settled, 'read', 1, 'read');
  const post = await memory.reserve(250, 'post', passed());
  assert.equal(settled, []);
  reads.release();
  await read;
  assert.equal(memory.usage(), { bytes: post.bytes + 1, waiting: 0 });
});

test('a request for more than the limit gets the whole limit', async () => {
  const memory = createMemory(1000);
  const post = await memory.reserve(5000, 'post', passed());
  assert.is(post.bytes, 1000);
  post.release();
  const read = await memory.reserve(5000, 'read', passed());
  assert.is(read.bytes, 750);
});

test('a request that waits until its deadline fails', async () => {
  const memory = createMemory(1000);
  await memory.reserve(1000, 'post', passed());
  assert.instance(await errorOf(memory.reserve(1, 'post', passed())), Overloaded);
  assert.instance(await errorOf(memory.reserve(1, 'read', passed() + 20)), Overloaded);
  assert.is(memory.usage().waiting, 0);
});

test('a request that fails no longer blocks smaller ones', async () => {
  const memory = createMemory(1000);
  await memory.reserve(500, 'post', passed());
  const large = memory.reserve(600, 'post', performance.now() + 20);
  const small = memory.reserve(100, 'post', distant());
  assert.instance(await errorOf(large), Overloaded);
  assert.is((await small).bytes, 100);
});

test('when too many wait, reads fail before posts, the newest first', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const full = await memory.reserve(1000, 'post', passed());
  const all = ['first', 'last'].map((name) => reserve(memory, settled, name, 1, 'read'));
  for (let i = 2; i < 1000; i++) all.push(reserve(memory, settled, 'post', 1, 'post'));
  await nextLoopIteration();
  assert.equal(settled, []);

  assert.instance(await errorOf(memory.reserve(1, 'read', distant())), Overloaded);
  for (const name of ['last', 'first']) {
    all.push(reserve(memory, settled, 'post', 1, 'post'));
    await nextLoopIteration();
    assert.is(settled.at(-1), `${name}: Overloaded`);
  }
  assert.instance(await errorOf(memory.reserve(1, 'post', distant())), Overloaded);
  assert.is(memory.usage().waiting, 1000);

  full.release();
  await Promise.allSettled(all);
  assert.is(settled.filter((name) => name === 'post').length, 1000);
});

test('a reservation grows if there is enough, and what it gives back goes to others', async () => {
  const memory = createMemory(1000);
  const settled: string[] = [];
  const reservation = await memory.reserve(500, 'post', passed());
  assert.ok(reservation.resize(1000));
  assert.not.ok(reservation.resize(1001));
  assert.is(reservation.bytes, 1000);
  const other = reserve(memory, settled, 'other', 400, 'post');
  assert.ok(reservation.resize(600));
  await other;
  assert.equal(memory.usage(), { bytes: 1000, waiting: 0 });

  const read = await createMemory(1000).reserve(700, 'read', passed());
  assert.not.ok(read.resize(751));
});

test('a released reservation does not grow', async () => {
  const memory = createMemory(1000);
  const reservation = await memory.reserve(500, 'post', passed());
  reservation.release();
  assert.not.ok(reservation.resize(100));
  assert.is(memory.usage().bytes, 0);
});

/** Reservations whose clients move nothing, and the names of those that were evicted. */
function stalledClients(memory: Memory) {
  const evicted: string[] = [];
  async function hold(name: string, bytes: number, kind: Kind) {
    const reservation = await memory.reserve(bytes, kind, passed());
    const transfer = reservation.trackTransfer(() => {
      evicted.push(name);
      reservation.release();
    });
    return { reservation, transfer };
  }
  return { evicted, hold };
}

test('while others wait, the client that has been slow for longest is evicted', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  const first = await hold('first', 300, 'post');
  await hold('second', 300, 'post');
  await hold('third', 300, 'post');
  first.transfer.moved(64 * 1024);
  const reservation = await memory.reserve(400, 'post', distant());
  assert.equal(evicted, ['second']);
  reservation.release();
});

test('slow clients are evicted one after the other, until there is enough', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  for (const name of ['first', 'second', 'third']) await hold(name, 300, 'post');
  await memory.reserve(700, 'post', distant());
  assert.equal(evicted, ['first', 'second']);
});

test('nobody is evicted while nobody waits', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  await hold('slow', 900, 'post');
  await memory.reserve(100, 'post', distant());
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal(evicted, []);
  await memory.reserve(100, 'post', distant());
  assert.equal(evicted, ['slow']);
});

test('a client whose transfer has ended is not evicted', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  const { transfer } = await hold('whole', 600, 'post');
  await hold('slow', 400, 'post');
  transfer.end();
  await memory.reserve(100, 'post', distant());
  assert.equal(evicted, ['slow']);
});

test('a client that was gone before its transfer began is not evicted', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  const gone = await memory.reserve(100, 'post', passed());
  gone.release();
  gone.trackTransfer(() => evicted.push('gone'));
  await hold('slow', 1000, 'post');
  await memory.reserve(100, 'post', distant());
  assert.equal(evicted, ['slow']);
});

test('for a read beyond the share of reads, only a read is evicted', async () => {
  const memory = createMemory(1000);
  const { evicted, hold } = stalledClients(memory);
  await hold('post', 200, 'post');
  await hold('read', 700, 'read');
  await memory.reserve(100, 'read', distant());
  assert.equal(evicted, ['read']);
});

test.run();
