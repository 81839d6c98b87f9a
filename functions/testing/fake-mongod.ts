import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BSON, Long, ObjectId } from 'mongodb';
import { COLLECTION, type Stored } from '../mongo/client';

// A server that speaks MongoDB's wire protocol, for tests of what a real one can't be made to do:
// reply with a given error, stop in the middle, be polled or streamed. It has one collection, in
// memory.

export type Command = Record<string, unknown> & { $db: string };
export type Reply = Record<string, unknown>;

export interface FakeMongod {
  port: number;
  uri: string;
  /** The commands received, without those that the driver sends by itself. */
  commands: Command[];
  documents: Map<string, Stored>;
  /** What it says of itself, besides what a single server does: that it is a member of a replica set, say. */
  hello: Reply;
  /**
   * Decides the reply to a command; initially that of a real server.
   *
   * @param proceed executes the command, and returns that reply
   * @returns the reply, perhaps later, or undefined to send none, or `drop` to drop the connection
   */
  handle(command: Command, proceed: () => Reply): Reply | undefined | 'drop' | Promise<Reply>;
  /** Whether it sends nothing, not even to the driver's monitor. */
  frozen: boolean;
  close(): void;
}

/** @param streaming whether it streams heartbeats to the driver, or has to be polled */
export async function startFakeMongod({ streaming = true } = {}): Promise<FakeMongod> {
  const sockets = new Set<Socket>();
  const topologyVersion = { processId: new ObjectId(), counter: Long.ZERO };
  const hello = () => ({
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    connectionId: 1,
    minWireVersion: 0,
    maxWireVersion: 25,
    readOnly: false,
    ...(streaming && { topologyVersion }),
    ...fake.hello,
    ok: 1,
  });

  function insert({ documents }: Command): Reply {
    const writeErrors: Reply[] = [];
    for (const [index, document] of (documents as Stored[]).entries()) {
      const sameKey = [...fake.documents.values()].find(
        ({ idempotencyKey }) => idempotencyKey && idempotencyKey === document.idempotencyKey,
      );
      if (!sameKey && !fake.documents.has(document._id)) fake.documents.set(document._id, document);
      else {
        const keyPattern = fake.documents.has(document._id) ? { _id: 1 } : { idempotencyKey: 1 };
        writeErrors.push({ index, code: 11_000, errmsg: 'E11000 duplicate key', keyPattern });
      }
    }
    const n = (documents as Stored[]).length - writeErrors.length;
    return { n, ...(writeErrors.length > 0 && { writeErrors }), ok: 1 };
  }

  function find({ filter, limit, $db }: Command): Reply {
    const conditions = Object.entries(filter as object);
    const found = [...fake.documents.values()]
      .filter((stored) => conditions.every(([name, value]) => stored[name as '_id'] === value))
      .sort((a, b) => (a._id < b._id ? 1 : -1))
      .slice(0, Number(limit) || undefined);
    return { cursor: { id: Long.ZERO, ns: `${$db}.${COLLECTION}`, firstBatch: found }, ok: 1 };
  }

  function proceed(command: Command): Reply {
    if (command.insert) return insert(command);
    if (command.find) return find(command);
    return { ok: 1 };
  }

  async function stream(socket: Socket, id: number, everyMs: number): Promise<void> {
    for (let last = id; !socket.destroyed; ) {
      last = send(socket, last, hello(), moreToCome);
      await sleep(everyMs, undefined, { ref: false });
      while (fake.frozen) await sleep(10, undefined, { ref: false });
    }
  }

  function receive(socket: Socket, message: Buffer): void {
    if (fake.frozen) return;
    const id = message.readInt32LE(4);
    if (message.readInt32LE(12) === OP_QUERY) {
      sendLegacy(socket, id, hello());
      return;
    }
    const command = BSON.deserialize(message.subarray(21)) as Command;
    if (command.hello || command.ismaster) {
      const isStreamed = message.readInt32LE(16) & exhaustAllowed && command.topologyVersion;
      if (isStreamed) void stream(socket, id, Number(command.maxAwaitTimeMS));
      else send(socket, id, hello());
      return;
    }
    if (!command.endSessions) fake.commands.push(command);
    const reply = fake.handle(command, () => proceed(command));
    if (reply === 'drop') socket.destroy();
    else if (reply instanceof Promise) void reply.then((late) => send(socket, id, late));
    else if (reply) send(socket, id, reply);
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        const message = received.subarray(0, length);
        received = received.subarray(length);
        receive(socket, message);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const fake: FakeMongod = {
    port,
    uri: `mongodb://127.0.0.1:${port}/`,
    commands: [],
    documents: new Map(),
    hello: {},
    handle: (_, proceed) => proceed(),
    frozen: false,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return fake;
}

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const moreToCome = 2;
const exhaustAllowed = 1 << 16;

let lastId = 0;

/** @returns the id of the message */
function send(socket: Socket, responseTo: number, document: Reply, flags = 0): number {
  const prefix = Buffer.alloc(5); // the flags, and the kind of the section
  prefix.writeInt32LE(flags);
  return write(socket, OP_MSG, responseTo, Buffer.concat([prefix, BSON.serialize(document)]));
}

/** Replies to the first message of a connection, which uses the older OP_QUERY. */
function sendLegacy(socket: Socket, responseTo: number, document: Reply): number {
  const prefix = Buffer.alloc(20);
  prefix.writeInt32LE(1, 16);
  return write(socket, OP_REPLY, responseTo, Buffer.concat([prefix, BSON.serialize(document)]));
}

function write(socket: Socket, opCode: number, responseTo: number, body: Buffer): number {
  const header = Buffer.alloc(16);
  const id = ++lastId;
  for (const [i, value] of [16 + body.length, id, responseTo, opCode].entries()) {
    header.writeInt32LE(value, 4 * i);
  }
  if (socket.writable) socket.write(Buffer.concat([header, body]));
  return id;
}
