import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stored } from '../mongo/client';
import { type Command, type FakeMongod, type Reply, startFakeMongod } from '../testing/fake-mongod';
import { type Host, post, send, startService, until } from '../testing/testing';

interface Context {
  fake: FakeMongod;
  /** Gives up after half a second. */
  service: Host;
  /** Gives up after 10 s. */
  patient: Host;
}

const test = suite<Context>('errors of the database');
test.before(async (context) => {
  context.fake = await startFakeMongod();
  const { uri } = context.fake;
  context.service = await startService({ uri, timeoutMs: 500 });
  context.patient = await startService({ uri, timeoutMs: 10_000 });
});
test.before.each(async ({ fake, service }) => {
  fake.answer = (_, proceed) => proceed();
  await until(async () => (await post(`${service.url}/data`, {})).status === 201);
  fake.commands.length = 0;
  fake.documents.clear();
});
test.after(async ({ fake, service, patient }) => {
  await service.close();
  await patient.close();
  fake.close();
});

const failure = (code: number, errorLabels: string[] = []): Reply => ({
  ok: 0,
  code,
  errmsg: `error ${code}`,
  errorLabels,
});

/** What a real server has answered that neither refuses a document nor is known as an outage. */
type Trouble = (proceed: () => Reply, command: InsertCommand) => Reply;

const troubles: [what: string, trouble: Trouble][] = [
  ...[1, 13, 43, 79, 100, 112, 133, 237, 317, 384, 462, 11_601, 14_031].map(
    (code): (typeof troubles)[number] => [`error ${code}`, () => failure(code)],
  ),
  ...['RetryableWriteError', 'SystemOverloadedError', 'NoWritesPerformed'].map(
    (label): (typeof troubles)[number] => [label, () => failure(8, [label])],
  ),
  [
    'an error of one document',
    (_, { documents }) => ({
      ok: 1,
      n: 0,
      writeErrors: documents.map((_, index) => ({
        index,
        code: 1,
        errmsg: 'database is locked',
      })),
    }),
  ],
  [
    'an error after it was stored',
    (proceed) => {
      proceed();
      return failure(91);
    },
  ],
  [
    'an error of the write concern',
    (proceed) => ({ ...proceed(), writeConcernError: { code: 64, errmsg: 'timed out' } }),
  ],
];

for (const [what, trouble] of troubles) {
  test(`${what}: the insert is repeated under its id until it succeeds`, async (context) => {
    const { fake, patient } = context;
    let left = 2;
    fake.answer = (command, proceed) =>
      command.insert && left-- > 0 ? trouble(proceed, command as InsertCommand) : proceed();
    const { status, json } = await post(`${patient.url}/data`, { what });
    assert.is(status, 201);
    assert.equal([...fake.documents.keys()], [json.id]);
    assert.equal(
      inserts(fake).map(({ documents: [stored] }) => stored?._id),
      [json.id, json.id, json.id],
    );
  });
}

test('errors again and again: 503 with the id, and whether it may be stored', async () => {
  await Promise.all(
    troubles.map(async ([what, trouble]) => {
      const bare = await exhaust(trouble);
      const keyed = await exhaust(trouble, { 'Idempotency-Key': `"${what}"` });
      for (const { sent, status, json } of [bare, keyed]) {
        assert.is(status, 503, what);
        assert.is(json.type, 'urn:problem-type:database-unavailable', what);
        assert.ok(sent.length > 1, what);
        assert.ok(
          sent.every(({ documents: [stored] }) => stored?._id === json.id),
          what,
        );
        const isNextShorter = (command: InsertCommand, n: number) =>
          command.maxTimeMS < (sent[n - 1]?.maxTimeMS ?? 1001);
        assert.ok(sent.every(isNextShorter), what);
      }
      assert.is(keyed.headers.get('retry-after'), '1', what);
      if (what === 'NoWritesPerformed') {
        // unless the deadline comes between the last attempt and its answer
        await until(async () => {
          const { json, headers } = await exhaust(trouble);
          return /^Nothing was stored\./.test(json.detail) && headers.get('retry-after') === '1';
        });
      } else {
        assert.match(bare.json.detail, /may be stored/, what);
        assert.is(bare.headers.get('retry-after'), null, what);
        assert.match(keyed.json.detail, /may be stored.* same Idempotency-Key/, what);
      }
    }),
  );
});

/** Posts to a service whose database answers each insert with the same error, until that gives up. */
async function exhaust(trouble: Trouble, headers?: Record<string, string>) {
  const fake = await startFakeMongod();
  const service = await startService({ uri: fake.uri, timeoutMs: 1000 });
  try {
    await until(async () => (await send(`${service.url}/data`)).status === 200);
    fake.answer = (command, proceed) =>
      command.insert ? trouble(proceed, command as InsertCommand) : proceed();
    const answer = await post(`${service.url}/data`, {}, headers);
    const sent = inserts(fake);
    fake.answer = (_, proceed) => proceed();
    assert.is((await send(`${service.url}/data`)).status, 200);
    assert.is(inserts(fake).length, sent.length, 'nothing is sent after the answer');
    return { sent, ...answer };
  } finally {
    await service.close();
    fake.close();
  }
}

test('every read is repeated, too, and ends as a 503', async ({ fake, service, patient }) => {
  for (const code of [1, 13, 43, 91, 100, 133, 237, 462, 14_031]) {
    let left = 1;
    fake.answer = (command, proceed) => (command.find && left-- > 0 ? failure(code) : proceed());
    assert.is((await send(`${patient.url}/data`)).status, 200, `a list after error ${code}`);
    left = 1;
    const { status } = await send(`${patient.url}/data/01939f8e-7c11-7abc-8def-0123456789ab`);
    assert.is(status, 404, `a document after error ${code}`);
  }
  fake.answer = () => failure(43);
  const { status, json, headers } = await send(`${service.url}/data`);
  assert.is(status, 503);
  assert.is(json.type, 'urn:problem-type:database-unavailable');
  assert.is(headers.get('retry-after'), '1');
});

const refusals = [2, 15, 22, 52, 56, 57, 121, 10_334];

for (const code of refusals) {
  test(`error ${code} refuses the document and no other`, async ({ fake, patient }) => {
    const isBad = ({ data }: Stored) => 'bad' in data;
    // as a server that can't read a command, and as one that tells of each document
    fake.answer = (command, proceed) =>
      documentsOf(command).some(isBad) ? failure(code) : proceed();
    await checkNeighbours();
    fake.answer = (command, proceed) => {
      const documents = documentsOf(command);
      const index = documents.findIndex(isBad);
      if (index < 0) return proceed();
      const { n } = proceed();
      fake.documents.delete(String(documents[index]?._id));
      const writeErrors = [{ index, code, errmsg: `error ${code} at 'bad'` }];
      return { ok: 1, n: Number(n) - 1, writeErrors };
    };
    const refused = await checkNeighbours();
    assert.equal(refused?.json.issues[0].path, ['bad']);

    async function checkNeighbours() {
      fake.documents.clear();
      const all = [1, 2, 3, 4].map((n) =>
        post(`${patient.url}/data`, n === 3 ? { bad: n } : { n }),
      );
      const answers = await Promise.all(all);
      assert.equal(
        answers.map(({ status }) => status),
        [201, 201, 422, 201],
      );
      assert.is(fake.documents.size, 3);
      return answers[2];
    }
  });
}

test('no code that a server may answer with makes a 500', async ({ fake, patient }) => {
  const codes = Array.from({ length: 20_000 }, (_, n) => n + 1).filter(
    (code) => code <= 500 || code % 97 === 0 || refusals.includes(code) || code === 11_000,
  );
  const answered = new Set<unknown>();
  fake.answer = (command, proceed) => {
    const writeErrors = documentsOf(command).flatMap(({ data }, index) => {
      const { code } = data as { code: number };
      if (answered.has(code)) return [];
      answered.add(code);
      return [{ index, code, errmsg: `error ${code}` }];
    });
    if (writeErrors.length === 0) return proceed();
    const failed = new Set(writeErrors.map(({ index }) => index));
    const taken = documentsOf(command).filter((_, index) => !failed.has(index));
    for (const stored of taken) fake.documents.set(stored._id, stored);
    return { ok: 1, n: taken.length, writeErrors };
  };
  const statuses = await Promise.all(
    codes.map(async (code) => (await post(`${patient.url}/data`, { code })).status),
  );
  assert.equal(
    statuses,
    codes.map((code) => (refusals.includes(code) ? 422 : 201)),
  );
  assert.is(fake.documents.size, codes.length - refusals.length);
});

test('an answer that makes no sense is an error like others', async ({ fake, service }) => {
  for (const reply of [{ ok: 1 }, { ok: 1, n: 0 }, { ok: 1, n: 2 }, { ok: 1, n: 'x' }, {}]) {
    fake.answer = (command, proceed) => (command.insert ? reply : proceed());
    const { status, json } = await post(`${service.url}/data`, {});
    assert.is(status, 503, JSON.stringify(reply));
    assert.match(json.detail, /may be stored/);
  }
});

test.run();

interface InsertCommand extends Command {
  documents: Stored[];
  maxTimeMS: number;
}

function inserts({ commands }: FakeMongod): InsertCommand[] {
  return commands.filter(({ insert }) => insert) as InsertCommand[];
}

function documentsOf(command: Command): Stored[] {
  return command.insert ? (command as InsertCommand).documents : [];
}
