import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BSON } from 'mongodb';
import { freePort, host } from '../../tools/network/ports';
import { json, type Kind } from './documents';

// A server that speaks as much of MongoDB's protocol as the service needs, keeps nothing, and answers
// faster than any real one could: what is measured is the service. It stores no document, so it shows
// nothing about whether writes are kept.

/** What a query finds: as many documents as it asks for, all of one kind and size. */
export interface Documents {
  kind: Kind;
  /** Of a document's JSON. */
  bytes: number;
  /** How long an insert or a query takes. */
  delayMs: number;
}

/** The server as a process of its own. */
export interface FakeDatabase {
  uri: string;
  /** Has it stand still, with its connections open, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const batchBytes = 16 * 1024 * 1024;
const [OP_QUERY, OP_MSG] = [2004, 2013];

/** @param node the Node.js that it runs on */
export async function startFakeDatabase(
  node: string,
  { kind = 'rows', bytes = 200, delayMs = 0 }: Partial<Documents> = {},
): Promise<FakeDatabase> {
  const port = await freePort();
  const child: ChildProcess = fork(__filename, [`${port}`, kind, `${bytes}`, `${delayMs}`], {
    execPath: node,
    execArgv: ['-r', 'ts-node/register/transpile-only'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  await once(child, 'message');
  return {
    uri: `mongodb://${host}:${port}/limits`,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    async stop() {
      process.off('exit', kill);
      kill();
      await once(child, 'exit');
    },
  };
}

async function serve(port: number, { kind, bytes, delayMs }: Documents): Promise<void> {
  const rest = tailOf({ createdAt: new Date(), data: JSON.parse(json(kind, bytes).toString()) });
  const found = (count: number) => batch(rest, Math.min(count, fit(rest)));
  const left = new Map<bigint, number>();
  let cursors = 0n;

  /** Documents in the form of a first or a next batch, and a cursor for those that it has no room for. */
  function cursor(name: 'firstBatch' | 'nextBatch', count: number): Buffer[] {
    const more = count - fit(rest);
    const id = more > 0 ? ++cursors : 0n;
    if (more > 0) left.set(id, more);
    const documents = found(count);
    const head = Buffer.concat([
      element('int64', 'id', int64(id)),
      element('string', 'ns', text('limits.documents')),
      Buffer.from([types.array]),
      Buffer.from(`${name}\0`),
    ]);
    return document([
      Buffer.from([types.document]),
      Buffer.from('cursor\0'),
      ...document([head, ...documents]),
      element('double', 'ok', double(1)),
    ]);
  }

  async function reply(command: Command): Promise<Buffer[]> {
    if (['insert', 'find', 'getMore'].includes(command.name) && delayMs > 0) await sleep(delayMs);
    switch (command.name) {
      case 'hello':
      case 'ismaster':
      case 'isMaster':
        return [BSON.serialize({ ...hello, localTime: new Date() }) as Buffer];
      case 'insert':
        return [BSON.serialize({ n: command.documents, ok: 1 }) as Buffer];
      case 'find':
        return cursor('firstBatch', command.number('limit') || 1);
      case 'getMore': {
        const id = BigInt(command.number('getMore'));
        const count = left.get(id) ?? 0;
        left.delete(id);
        return cursor('nextBatch', count);
      }
      default:
        return [BSON.serialize({ ok: 1 }) as Buffer];
    }
  }

  const server = createServer((socket) => {
    socket.on('error', () => {});
    eachMessage(socket, (message) => {
      void reply(parse(message)).then((parts) => send(socket, message, parts));
    });
  });
  server.listen(port, host, () => process.send?.('listening'));
}

const hello = {
  isWritablePrimary: true,
  helloOk: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 25,
  readOnly: false,
  ok: 1,
};

interface Command {
  name: string;
  /** The value of a member that is a whole number. */
  number(member: string): number;
  /** How many documents it brings. */
  documents: number;
}

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
function parse(message: Buffer): Command {
  const old = message.readInt32LE(12) === OP_QUERY;
  let at = old ? message.indexOf(0, 20) + 9 : 20;
  let body = message.subarray(at);
  let documents = 0;
  while (at < message.length) {
    const sequence = !old && message[at++] === 1;
    const end = at + message.readInt32LE(at);
    if (sequence) {
      for (let each = message.indexOf(0, at + 4) + 1; each < end; documents++) {
        each += message.readInt32LE(each);
      }
    } else body = message.subarray(at, end);
    at = end;
  }

  const members = new Map(
    [...BSON.onDemand.parseToElements(body)].map(([type, nameAt, nameLength, offset, length]) => [
      body.toString('latin1', nameAt, nameAt + nameLength),
      { type, value: body.subarray(offset, offset + length) },
    ]),
  );
  const listed = members.get('documents')?.value;
  if (listed) documents += [...BSON.onDemand.parseToElements(listed)].length;
  return {
    name: members.keys().next().value ?? '',
    documents,
    number(member) {
      const { type, value } = members.get(member) ?? {};
      if (!value) return 0;
      if (type === types.int32) return value.readInt32LE();
      return type === types.int64 ? Number(value.readBigInt64LE()) : value.readDoubleLE();
    },
  };
}

function eachMessage(socket: Socket, handle: (message: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    for (;;) {
      if ((chunks[0]?.length ?? 0) < 4) chunks = [Buffer.concat(chunks)];
      if (size < 4) return;
      const length = chunks[0]?.readInt32LE(0) ?? 0;
      if (size < length) return;
      const all = Buffer.concat(chunks);
      chunks = [all.subarray(length)];
      size -= length;
      handle(all.subarray(0, length));
    }
  });
}

function send(socket: Socket, message: Buffer, parts: Buffer[]): void {
  const old = message.readInt32LE(12) === OP_QUERY;
  const head = Buffer.alloc(old ? 36 : 21);
  const length = parts.reduce((sum, part) => sum + part.length, head.length);
  head.writeInt32LE(length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(old ? 1 : OP_MSG, 12);
  if (old) head.writeInt32LE(1, 32);
  socket.cork();
  for (const part of [head, ...parts]) socket.write(part);
  socket.uncork();
}

const types = { double: 1, string: 2, document: 3, array: 4, int32: 16, int64: 18 };

function element(type: keyof typeof types, name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([types[type]]), Buffer.from(`${name}\0`), value]);
}

/** A BSON document of parts that are elements, or parts of such. */
function document(parts: Buffer[]): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeInt32LE(parts.reduce((sum, part) => sum + part.length, 5));
  return [length, ...parts, Buffer.alloc(1)];
}

function text(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.length + 1);
  return Buffer.concat([length, Buffer.from(`${value}\0`)]);
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** The elements of a document, to which an `_id` can be put in front. */
function tailOf(value: object): Buffer {
  return (BSON.serialize(value) as Buffer).subarray(4, -1);
}

/** How many documents a batch has room for. */
function fit(rest: Buffer): number {
  return Math.max(1, Math.floor(batchBytes / (rest.length + 60)));
}

let ids = 0;

/** The elements of an array of documents that differ in their `_id`. */
function batch(rest: Buffer, count: number): Buffer[] {
  const elements = Array.from({ length: count }, (_, n) => [
    Buffer.from([types.document]),
    Buffer.from(`${n}\0`),
    ...document([element('string', '_id', text(newId())), rest]),
  ]);
  return document(elements.flat());
}

/** A UUIDv7 that is below all made before. */
function newId(): string {
  return `01a213de-9274-7000-a1e3-${(0xffff_ffff_ffff - ids++).toString(16)}`;
}

if (require.main === module) {
  const [port = '', kind = '', bytes, delayMs] = process.argv.slice(2);
  void serve(Number(port), { kind: kind as Kind, bytes: Number(bytes), delayMs: Number(delayMs) });
}
