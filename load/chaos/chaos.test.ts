import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killProcesses, startProcess, until } from '../../functions/testing/testing';
import { attemptOf, digestOf, type LedgerEntry } from './attempt';
import { chaosReport } from './chaos-report';
import { checkConsistency, type DocumentSource, type StoredDocument } from './consistency';
import { serviceSource } from './document-sources';
import { startLedger } from './ledger';
import { runChaos } from './run';
import { makeSchedule } from './schedule';

const target = { name: 'a', url: 'http://127.0.0.1:1' };

const schedule = suite('schedule');

schedule('depends on the seed only', () => {
  assert.equal(makeSchedule(1, 60), makeSchedule(1, 60));
  assert.not.equal(makeSchedule(1, 60), makeSchedule(2, 60));
});

schedule('has each kind of fault once before it repeats one', () => {
  const { faults } = makeSchedule(3, 300);
  const kindOf = ({ what }: (typeof faults)[number]) =>
    [what.kind, 'first' in what && what.first, 'from' in what && what.from].join();
  assert.is(new Set(faults.slice(0, 14).map(kindOf)).size, 14);
  assert.ok(faults.every(({ atMs }, i) => atMs <= 300_000 && atMs >= (faults[i - 1]?.atMs ?? 0)));
});

schedule.run();

const consistency = suite('consistency');

/** A document that was posted at `at`, with a response a second later. */
function posted(
  nonce: string,
  at: number,
  status: number,
  body: object,
  key?: string,
): LedgerEntry {
  const digest = digestOf(JSON.stringify({ nonce }));
  const text = JSON.stringify({ data: { nonce }, ...body });
  const attempt = attemptOf(target, { startedAt: at, endedAt: at + 1000, status, text }, digest);
  return { nonce, digest, attempts: [attempt], ...(key && { key }) };
}

function sourceOf(...found: StoredDocument[]): DocumentSource {
  return {
    inInsertionOrder: true,
    async *read() {
      yield* found;
    },
  };
}

const stored = (id: string, nonce = id): StoredDocument => ({ id, data: { nonce } });

consistency('an acknowledged document that is stored once is right', async () => {
  const { acknowledged, ...found } = await checkConsistency(
    [posted('1', 0, 201, { id: '1' }), posted('2', 0, 201, { id: '2' }, 'key')],
    sourceOf(stored('1'), stored('2')),
  );
  assert.is(acknowledged, 2);
  assert.equal(
    [found.missing, found.duplicates, found.corrupted, found.deniedButStored],
    [[], [], [], []],
  );
});

consistency('an acknowledged document that is not stored is missing', async () => {
  const { missing } = await checkConsistency([posted('1', 0, 201, { id: '1' })], sourceOf());
  assert.is(missing.length, 1);
});

consistency('a document with two ids is a duplicate, with a key and without', async () => {
  const { duplicates } = await checkConsistency(
    [posted('1', 0, 503, {}), posted('2', 0, 201, { id: '2' }, 'key')],
    sourceOf(stored('1'), stored('1b', '1'), stored('2'), stored('2b', '2')),
  );
  assert.is(duplicates.length, 2);
});

consistency(
  'other content, another id, and a document that was never posted are corruption',
  async () => {
    const other = { id: '1', data: { nonce: '1', more: true } };
    const right = posted('1', 0, 201, { id: '1' });
    assert.is((await checkConsistency([right], sourceOf(other))).corrupted.length, 1);
    assert.is((await checkConsistency([right], sourceOf(stored('2', '1')))).corrupted.length, 1);
    assert.is((await checkConsistency([], sourceOf(stored('1')))).corrupted.length, 1);
    const echo = posted('1', 0, 201, { id: '1', data: { nonce: '2' } });
    assert.is((await checkConsistency([echo], sourceOf(stored('1')))).corrupted.length, 1);
    const named = posted('1', 0, 503, { id: '2' });
    assert.is((await checkConsistency([named], sourceOf(stored('1')))).corrupted.length, 1);
  },
);

consistency(
  'a document is reported that is stored although every response claimed that nothing was sent',
  async () => {
    const bodies = [
      { type: 'urn:problem-type:overloaded', detail: 'Try again.' },
      { type: 'urn:problem-type:database-unavailable', detail: 'Nothing was stored. Try again.' },
      { type: 'urn:problem-type:database-unavailable', detail: 'It may be stored.' },
    ];
    const entries = bodies.map((body, i) => posted(`${i}`, 0, 503, body));
    const { deniedButStored, outcomes } = await checkConsistency(
      entries,
      sourceOf(...['0', '1', '2'].map((n) => stored(n))),
    );
    assert.is(deniedButStored.length, 2);
    assert.equal(outcomes.map(({ outcome }) => outcome).sort(), [
      '503 database-unavailable, may be stored',
      '503 database-unavailable, nothing was sent',
      '503 overloaded, nothing was sent',
    ]);
  },
);

consistency('a document inserted after a later post was stored after its 503', async () => {
  const failed = posted('1', 0, 503, { id: '1' });
  const next = posted('2', 4000, 201, { id: '2' });
  const early = await checkConsistency([failed, next], sourceOf(stored('1'), stored('2')));
  assert.equal(early.storedLate, { documents: 0, maxMs: 0 });
  const late = await checkConsistency([failed, next], sourceOf(stored('2'), stored('1')));
  assert.equal(late.storedLate, { documents: 1, maxMs: 3000 });
});

consistency('a connection error is a failure, unless it is expected', async () => {
  const targets = [target];
  const ledger = startLedger({ targets, writers: 0 });
  await ledger.post({ firstTarget: 0 });
  assert.match((await ledger.check(sourceOf())).unexpectedErrors.join(), 'ECONNREFUSED');
  ledger.expectErrors(target, 'ECONNRESET');
  await ledger.post({ firstTarget: 0 });
  assert.is((await ledger.check(sourceOf())).unexpectedErrors.length, 2);
  ledger.expectErrors(target, 'ECONNREFUSED');
  await ledger.post({ firstTarget: 0 });
  const { unexpectedErrors, failures } = await ledger.check(sourceOf());
  assert.is(unexpectedErrors.length, 2);
  assert.equal(failures, ['unexpected connection errors: 2']);
});

consistency.run();

const chaos = suite('chaos');
chaos.after.each(killProcesses);

chaos('the ledger works with any URL, and reads what is stored through the service', async () => {
  const { url } = await startProcess({ MONGO_DATABASE: `test-${randomUUID()}` });
  const service = { name: 'a', url, host: 'functions.example' };
  const ledger = startLedger({
    targets: [service],
    writers: 4,
    pauseMs: 5,
    keys: true,
    limit: 250,
  });
  await ledger.post({ firstTarget: 0, fields: { text: 'x'.repeat(100_000) } });
  await until(async () => ledger.successes('a').length >= 250);
  await ledger.stop();
  const { failures, acknowledged, stored } = await ledger.check(serviceSource(service));
  assert.equal(failures, []);
  assert.is(stored, acknowledged);
});

chaos('the service keeps its promises', async () => {
  const result = await runChaos({
    schedule: {
      faults: [
        { atMs: 1000, what: { kind: 'connections ended', first: 'oldest' } },
        { atMs: 4000, what: { kind: 'database killed', downMs: 1000 } },
        { atMs: 9000, what: { kind: 'replica terminated', replica: 0 } },
      ],
      bursts: [{ atMs: 2500, what: { kind: 'posts at once', count: 50 } }],
    },
    keys: true,
    log: () => {},
  });
  assert.equal(result.failures, [], chaosReport(result));
  assert.ok(result.verdict.acknowledged > 50);
  assert.is(result.recoveries.length, 3);
});

chaos.run();
