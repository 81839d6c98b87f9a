import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killProcesses, startProcess, until } from '../../functions/testing/testing';
import { report } from './chaos-report';
import { startLedger } from './ledger';
import { fromService } from './readers';
import { attemptOf, digestOf, type Entry } from './record';
import { run } from './run';
import { plan } from './schedule';
import { compare, type Found, type Reader } from './verdict';

const target = { name: 'a', url: 'http://127.0.0.1:1' };

const schedule = suite('schedule');

schedule('is the same for the same seed, and another for another', () => {
  assert.equal(plan(1, 60), plan(1, 60));
  assert.not.equal(plan(1, 60), plan(2, 60));
});

schedule('has each kind of fault once before one comes again', () => {
  const { faults } = plan(3, 300);
  const all = ({ what }: (typeof faults)[number]) =>
    [what.kind, 'first' in what && what.first, 'from' in what && what.from].join();
  assert.is(new Set(faults.slice(0, 14).map(all)).size, 14);
  assert.ok(faults.every(({ atMs }, i) => atMs <= 300_000 && atMs >= (faults[i - 1]?.atMs ?? 0)));
});

schedule.run();

const verdict = suite('verdict');

/** A document as it was posted at a time, with an answer a second later. */
function posted(nonce: string, at: number, status: number, answer: object, key?: string): Entry {
  const digest = digestOf(JSON.stringify({ nonce }));
  const text = JSON.stringify({ data: { nonce }, ...answer });
  const attempt = attemptOf(target, { startedAt: at, endedAt: at + 1000, status, text }, digest);
  return { nonce, digest, attempts: [attempt], ...(key && { key }) };
}

function reading(...found: Found[]): Reader {
  return {
    inOrderOfStorage: true,
    async *read() {
      yield* found;
    },
  };
}

const stored = (id: string, nonce = id): Found => ({ id, data: { nonce } });

verdict('what was acknowledged and is there once is right', async () => {
  const { acknowledged, ...found } = await compare(
    [posted('1', 0, 201, { id: '1' }), posted('2', 0, 201, { id: '2' }, 'key')],
    reading(stored('1'), stored('2')),
  );
  assert.is(acknowledged, 2);
  assert.equal([found.missing, found.twice, found.mixedUp, found.lies], [[], [], [], []]);
});

verdict('what was acknowledged and is not there is missing', async () => {
  const { missing } = await compare([posted('1', 0, 201, { id: '1' })], reading());
  assert.is(missing.length, 1);
});

verdict('what is there under two ids is stored twice, with a key and without', async () => {
  const { twice } = await compare(
    [posted('1', 0, 503, {}), posted('2', 0, 201, { id: '2' }, 'key')],
    reading(stored('1'), stored('1b', '1'), stored('2'), stored('2b', '2')),
  );
  assert.is(twice.length, 2);
});

verdict('another content or id, or a document of nobody, is mixed up', async () => {
  const other = { id: '1', data: { nonce: '1', more: true } };
  const right = posted('1', 0, 201, { id: '1' });
  assert.is((await compare([right], reading(other))).mixedUp.length, 1);
  assert.is((await compare([right], reading(stored('2', '1')))).mixedUp.length, 1);
  assert.is((await compare([], reading(stored('1')))).mixedUp.length, 1);
  const echo = posted('1', 0, 201, { id: '1', data: { nonce: '2' } });
  assert.is((await compare([echo], reading(stored('1')))).mixedUp.length, 1);
  const named = posted('1', 0, 503, { id: '2' });
  assert.is((await compare([named], reading(stored('1')))).mixedUp.length, 1);
});

verdict('what is there though nothing was sent is a lie', async () => {
  const answers = [
    { type: 'urn:problem-type:overloaded', detail: 'Try again.' },
    { type: 'urn:problem-type:database-unavailable', detail: 'Nothing was stored. Try again.' },
    { type: 'urn:problem-type:database-unavailable', detail: 'It may be stored.' },
  ];
  const entries = answers.map((answer, i) => posted(`${i}`, 0, 503, answer));
  const { lies, outcomes } = await compare(
    entries,
    reading(...['0', '1', '2'].map((n) => stored(n))),
  );
  assert.is(lies.length, 2);
  assert.equal(outcomes.map(({ outcome }) => outcome).sort(), [
    '503 database-unavailable, may be stored',
    '503 database-unavailable, nothing was sent',
    '503 overloaded, nothing was sent',
  ]);
});

verdict('what stands behind a later post was stored after its 503', async () => {
  const failed = posted('1', 0, 503, { id: '1' });
  const next = posted('2', 4000, 201, { id: '2' });
  const early = await compare([failed, next], reading(stored('1'), stored('2')));
  assert.equal(early.late, { documents: 0, mostMs: 0 });
  const late = await compare([failed, next], reading(stored('2'), stored('1')));
  assert.equal(late.late, { documents: 1, mostMs: 3000 });
});

verdict('a connection that fails is a failure, unless it is excused', async () => {
  const targets = [target];
  const ledger = startLedger({ targets, writers: 0 });
  await ledger.post({ first: 0 });
  assert.match((await ledger.compare(reading())).unexplained.join(), 'ECONNREFUSED');
  ledger.excuse(target, 'ECONNRESET');
  await ledger.post({ first: 0 });
  assert.is((await ledger.compare(reading())).unexplained.length, 2);
  ledger.excuse(target, 'ECONNREFUSED');
  await ledger.post({ first: 0 });
  const { unexplained, failures } = await ledger.compare(reading());
  assert.is(unexplained.length, 2);
  assert.equal(failures, ['requests cut without an excuse: 2']);
});

verdict.run();

const chaos = suite('chaos');
chaos.after.each(killProcesses);

chaos('the ledger takes any URL, and reads what is there through the service', async () => {
  const { url } = await startProcess({ MONGO_DATABASE: `test-${randomUUID()}` });
  const service = { name: 'a', url, host: 'functions.example' };
  const ledger = startLedger({
    targets: [service],
    writers: 4,
    pauseMs: 5,
    keys: true,
    limit: 250,
  });
  await ledger.post({ first: 0, more: { text: 'x'.repeat(100_000) } });
  await until(async () => ledger.successes('a').length >= 250);
  await ledger.stop();
  const { failures, acknowledged, stored } = await ledger.compare(fromService(service));
  assert.equal(failures, []);
  assert.is(stored, acknowledged);
});

chaos('the service keeps its word', async () => {
  const result = await run({
    schedule: {
      faults: [
        { atMs: 1000, what: { kind: 'connections ended', first: 'oldest' } },
        { atMs: 4000, what: { kind: 'database killed', downMs: 1000 } },
        { atMs: 9000, what: { kind: 'replica terminated', replica: 0 } },
      ],
      loads: [{ atMs: 2500, what: { kind: 'posts at once', count: 50 } }],
    },
    keys: true,
    say: () => {},
  });
  assert.equal(result.failures, [], report(result));
  assert.ok(result.verdict.acknowledged > 50);
  assert.is(result.recoveries.length, 3);
});

chaos.run();
