import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BSON } from 'mongodb';
import { freePort, host } from '../../tools/network/ports';
import { jsonOf, type Kind } from './test-documents';

// A stand-in for MongoDB that implements the commands that the service uses, stores nothing, and is
// faster than any real server, so that the service is the bottleneck. It can't show whether writes are
// durable.

/** What queries return: as many documents as they ask for, all of one kind and size. */
export interface FakeContent {
  kind: Kind;
  /** Size of a document as JSON. */
  bytes: number;
  /** Time that each insert and query takes. */
  delayMs: number;
}

/** The fake server, in its own process. */
export interface FakeMongodb {
  uri: string;
  /** Suspends the process, with its connections open. */
  freeze(): void;
  unfreeze(): void;
  stop(): Promise<void>;
}

const batchBytes = 16 * 1024 * 1024;
const [OP_QUERY, OP_MSG] = [2004, 2013];

/** @param node path of the Node.js that it runs on */
export async function startFakeMongodb(
  node: string,
  { kind = 'rows', bytes = 200, delayMs = 0 }: Partial<FakeContent> = {},
): Promise<FakeMongodb> {
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
    unfreeze: () => child.kill('SIGCONT'),
    async stop() {
      process.off('exit', kill);
      kill();
      await once(child, 'exit');
    },
  };
}

async function serve(port: number, { kind, bytes, delayMs }: FakeContent): Promise<void> {
  const fields = elementsOf({
    createdAt: new Date(),
    data: JSON.parse(jsonOf(kind, bytes).toString()),
  });
  let cursors = 0n;

  /** A response with the documents that fit into it, and a cursor if more remain. */
  function cursorResponse(count: number): Buffer[] {
    const id = count > batchCapacity(fields) ? ++cursors : 0n;
    const documents = batch(fields, Math.min(count, batchCapacity(fields)));
    const head = Buffer.concat([
      element('int64', 'id', int64(id)),
      element('string', 'ns', text('limits.documents')),
      Buffer.from([types.array]),
      Buffer.from('firstBatch\0'),
    ]);
    return document([
      Buffer.from([types.document]),
      Buffer.from('cursor\0'),
      ...document([head, ...documents]),
      element('double', 'ok', double(1)),
    ]);
  }

  async function respond(command: Command): Promise<Buffer[]> {
    if (['insert', 'find'].includes(command.name) && delayMs > 0) await sleep(delayMs);
    switch (command.name) {
      case 'hello':
      case 'ismaster':
      case 'isMaster':
        return [BSON.serialize({ ...hello, localTime: new Date() }) as Buffer];
      case 'insert':
        return [BSON.serialize({ n: command.documents, ok: 1 }) as Buffer];
      case 'find':
        return cursorResponse(command.numberOf('limit') || 1);
      default:
        return [BSON.serialize({ ok: 1 }) as Buffer];
    }
  }

  const server = createServer((socket) => {
    socket.on('error', () => {});
    eachMessage(socket, (message) => {
      void respond(parseCommand(message)).then((body) => sendResponse(socket, message, body));
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
  /** The value of a numeric field; 0 when there is none. */
  numberOf(field: string): number;
  /** How many documents it inserts. */
  documents: number;
}

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
function parseCommand(message: Buffer): Command {
  const isOpQuery = message.readInt32LE(12) === OP_QUERY;
  let at = isOpQuery ? message.indexOf(0, 20) + 9 : 20;
  let body = message.subarray(at);
  let documents = 0;
  while (at < message.length) {
    const sequence = !isOpQuery && message[at++] === 1;
    const end = at + message.readInt32LE(at);
    if (sequence) {
      for (let each = message.indexOf(0, at + 4) + 1; each < end; documents++) {
        each += message.readInt32LE(each);
      }
    } else body = message.subarray(at, end);
    at = end;
  }

  const elements = new Map(
    [...BSON.onDemand.parseToElements(body)].map(([type, nameAt, nameLength, offset, length]) => [
      body.toString('latin1', nameAt, nameAt + nameLength),
      { type, value: body.subarray(offset, offset + length) },
    ]),
  );
  const listed = elements.get('documents')?.value;
  if (listed) documents += [...BSON.onDemand.parseToElements(listed)].length;
  return {
    name: elements.keys().next().value ?? '',
    documents,
    numberOf(field) {
      const { type, value } = elements.get(field) ?? {};
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

/** @param parts the body, in pieces that are not concatenated */
function sendResponse(socket: Socket, message: Buffer, parts: Buffer[]): void {
  const isOpQuery = message.readInt32LE(12) === OP_QUERY;
  const head = Buffer.alloc(isOpQuery ? 36 : 21);
  const length = parts.reduce((sum, part) => sum + part.length, head.length);
  head.writeInt32LE(length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(isOpQuery ? 1 : OP_MSG, 12);
  if (isOpQuery) head.writeInt32LE(1, 32);
  socket.cork();
  for (const part of [head, ...parts]) socket.write(part);
  socket.uncork();
}

const types = { double: 1, string: 2, document: 3, array: 4, int32: 16, int64: 18 };

function element(type: keyof typeof types, name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([types[type]]), Buffer.from(`${name}\0`), value]);
}

/** A BSON document; `parts` are elements, or pieces of elements. */
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

/** The elements of a document, to be put behind an `_id`. */
function elementsOf(value: object): Buffer {
  return (BSON.serialize(value) as Buffer).subarray(4, -1);
}

/** How many documents fit in a batch. */
function batchCapacity(fields: Buffer): number {
  return Math.max(1, Math.floor(batchBytes / (fields.length + 60)));
}

let ids = 0;

/** A BSON array of documents that differ in their `_id`. */
function batch(fields: Buffer, count: number): Buffer[] {
  const elements = Array.from({ length: count }, (_, n) => [
    Buffer.from([types.document]),
    Buffer.from(`${n}\0`),
    ...document([element('string', '_id', text(newId())), fields]),
  ]);
  return document(elements.flat());
}

/** A UUIDv7 below all earlier ones, as pages are sorted in descending order. */
function newId(): string {
  return `01a213de-9274-7000-a1e3-${(0xffff_ffff_ffff - ids++).toString(16)}`;
}

if (require.main === module) {
  const [port = '', kind = '', bytes, delayMs] = process.argv.slice(2);
  void serve(Number(port), { kind: kind as Kind, bytes: Number(bytes), delayMs: Number(delayMs) });
}
