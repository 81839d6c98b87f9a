import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Overloaded } from './errors';
import { createMemory, type Kind, type Memory, type Room } from './memory';

/** A deadline that no test waits for, and one that is over. */
const later = () => performance.now() + 60_000;
const over = () => performance.now();

/** Asks for room, and tells by its name when it gets it or does not. */
function ask(memory: Memory, told: string[], name: string, bytes: number, kind: Kind) {
  const asked = memory.reserve(bytes, kind, later());
  asked.then(
    () => told.push(name),
    (error) => told.push(`${name}: ${error.name}`),
  );
  return asked;
}

async function refusal(asked: Promise<Room>): Promise<unknown> {
  return asked.then(
    () => undefined,
    (error) => error,
  );
}

test('who asks gets room, and holds it until it is released', async () => {
  const memory = createMemory(1000);
  const room = await memory.reserve(600, 'post', over());
  assert.is(room.bytes, 600);
  assert.equal(memory.usage(), { bytes: 600, waiting: 0 });
  room.release();
  room.release();
  assert.equal(memory.usage(), { bytes: 0, waiting: 0 });
});

test('they wait in the order in which they came', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const full = await memory.reserve(1000, 'post', over());
  const first = ask(memory, told, 'first', 700, 'post');
  const second = ask(memory, told, 'second', 500, 'post');
  // this would fit beside the first
  const third = ask(memory, told, 'third', 100, 'post');
  assert.is(memory.usage().waiting, 3);

  full.release();
  await turn();
  assert.equal(told, ['first']);
  (await first).release();
  await Promise.all([second, third]);
  assert.equal(told, ['first', 'second', 'third']);
  assert.equal(memory.usage(), { bytes: 600, waiting: 0 });
});

test('nobody overtakes those who wait', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const half = await memory.reserve(500, 'post', over());
  ask(memory, told, 'large', 600, 'post');
  ask(memory, told, 'small', 100, 'post');
  await turn();
  assert.equal(told, []);
  half.release();
  await turn();
  assert.equal(told, ['large', 'small']);
});

test('posts go before reads that came earlier', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const full = await memory.reserve(1000, 'post', over());
  const read = ask(memory, told, 'read', 500, 'read');
  const post = ask(memory, told, 'post', 1000, 'post');
  full.release();
  (await post).release();
  await read;
  assert.equal(told, ['post', 'read']);
});

test('reads get three quarters, posts all', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const reads = await memory.reserve(750, 'read', over());
  const read = ask(memory, told, 'read', 1, 'read');
  const post = await memory.reserve(250, 'post', over());
  assert.equal(told, []);
  reads.release();
  await read;
  assert.equal(memory.usage(), { bytes: post.bytes + 1, waiting: 0 });
});

test('what is larger than all that there is gets all that there is', async () => {
  const memory = createMemory(1000);
  const post = await memory.reserve(5000, 'post', over());
  assert.is(post.bytes, 1000);
  post.release();
  const read = await memory.reserve(5000, 'read', over());
  assert.is(read.bytes, 750);
});

test('who has waited until its deadline is turned away', async () => {
  const memory = createMemory(1000);
  await memory.reserve(1000, 'post', over());
  assert.instance(await refusal(memory.reserve(1, 'post', over())), Overloaded);
  assert.instance(await refusal(memory.reserve(1, 'read', over() + 20)), Overloaded);
  assert.is(memory.usage().waiting, 0);
});

test('whoever is turned away does not stand in the way of smaller ones', async () => {
  const memory = createMemory(1000);
  await memory.reserve(500, 'post', over());
  const large = memory.reserve(600, 'post', performance.now() + 20);
  const small = memory.reserve(100, 'post', later());
  assert.instance(await refusal(large), Overloaded);
  assert.is((await small).bytes, 100);
});

test('when too many wait, reads are turned away before posts, the last of them first', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const full = await memory.reserve(1000, 'post', over());
  const all = ['first', 'last'].map((name) => ask(memory, told, name, 1, 'read'));
  for (let i = 2; i < 1000; i++) all.push(ask(memory, told, 'post', 1, 'post'));
  await turn();
  assert.equal(told, []);

  assert.instance(await refusal(memory.reserve(1, 'read', later())), Overloaded);
  for (const name of ['last', 'first']) {
    all.push(ask(memory, told, 'post', 1, 'post'));
    await turn();
    assert.is(told.at(-1), `${name}: Overloaded`);
  }
  assert.instance(await refusal(memory.reserve(1, 'post', later())), Overloaded);
  assert.is(memory.usage().waiting, 1000);

  full.release();
  await Promise.allSettled(all);
  assert.is(told.filter((name) => name === 'post').length, 1000);
});

test('room is made larger if there is as much, and what is given back goes to others', async () => {
  const memory = createMemory(1000);
  const told: string[] = [];
  const room = await memory.reserve(500, 'post', over());
  assert.ok(room.resize(1000));
  assert.not.ok(room.resize(1001));
  assert.is(room.bytes, 1000);
  const other = ask(memory, told, 'other', 400, 'post');
  assert.ok(room.resize(600));
  await other;
  assert.equal(memory.usage(), { bytes: 1000, waiting: 0 });

  const read = await createMemory(1000).reserve(700, 'read', over());
  assert.not.ok(read.resize(751));
});

test('what was released takes nothing any more', async () => {
  const memory = createMemory(1000);
  const room = await memory.reserve(500, 'post', over());
  room.release();
  assert.not.ok(room.resize(100));
  assert.is(memory.usage().bytes, 0);
});

/** Rooms whose clients move nothing, and the names of those that were turned out. */
function stall(memory: Memory) {
  const out: string[] = [];
  async function hold(name: string, bytes: number, kind: Kind) {
    const room = await memory.reserve(bytes, kind, over());
    const transfer = room.transfer(() => {
      out.push(name);
      room.release();
    });
    return { room, transfer };
  }
  return { out, hold };
}

test('when others wait, the client that has been slow for longest is turned out', async () => {
  const memory = createMemory(1000);
  const { out, hold } = stall(memory);
  const first = await hold('first', 300, 'post');
  await hold('second', 300, 'post');
  await hold('third', 300, 'post');
  first.transfer.moved(64 * 1024);
  const room = await memory.reserve(400, 'post', later());
  assert.equal(out, ['second']);
  room.release();
});

test('one after the other, until there is enough', async () => {
  const memory = createMemory(1000);
  const { out, hold } = stall(memory);
  for (const name of ['first', 'second', 'third']) await hold(name, 300, 'post');
  await memory.reserve(700, 'post', later());
  assert.equal(out, ['first', 'second']);
});

test('nobody is turned out while nobody waits', async () => {
  const memory = createMemory(1000);
  const { out, hold } = stall(memory);
  await hold('slow', 900, 'post');
  await memory.reserve(100, 'post', later());
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal(out, []);
  await memory.reserve(100, 'post', later());
  assert.equal(out, ['slow']);
});

test('nor whose transfer has ended', async () => {
  const memory = createMemory(1000);
  const { out, hold } = stall(memory);
  const { transfer } = await hold('whole', 600, 'post');
  await hold('slow', 400, 'post');
  transfer.end();
  await memory.reserve(100, 'post', later());
  assert.equal(out, ['slow']);
});

test('for a read beyond the share of reads, only a read is turned out', async () => {
  const memory = createMemory(1000);
  const { out, hold } = stall(memory);
  await hold('post', 200, 'post');
  await hold('read', 700, 'read');
  await memory.reserve(100, 'read', later());
  assert.equal(out, ['read']);
});

test.run();
