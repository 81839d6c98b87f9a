import type { ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { checkDocument, type Document, toDocument } from './documents/document';
import { newId } from './documents/id';
import { parseIdempotencyKey } from './documents/idempotency-key';
import { type Insert, toInsert } from './documents/insert';
import type { Store } from './documents/store';
import { announcedSize, parseJson, readAtOnce, readBody } from './http/body';
import { Problem, toProblem } from './http/problem';
import { noParameters } from './http/query';
import { type Body, sendBody, whenSent } from './http/respond';
import { type Exchange, operation, type Resource } from './http/router';
import { Overloaded } from './runtime/errors';
import type { Memory, Reservation } from './runtime/memory';
import { wholeNumber } from './runtime/whole-number';

const page = z.strictObject({
  limit: z._default(wholeNumber(1, 200), 50),
  cursor: z.optional(z.uuidv7('must be the "next" of an earlier page')),
});

/** What the handlers need. Times are in ms, sizes in bytes. */
export interface DataParts {
  store: Store;
  memory: Memory;
  /**
   * Bounds the bodies that are parsed and written at a time. A document of 1 MiB can cost half a
   * second of CPU: when many come at once, those that were begun are finished first, and the others
   * are turned away before they have cost anything.
   */
  turns: Memory;
  bodyLimitBytes: number;
  /** The longest that a request waits for memory. */
  timeoutMs: number;
}

/**
 * The collection of documents and its members, below a path.
 *
 * @param mount where the collection is, such as `/data`, or `''` for the root
 * @param parts asked for on the first request that needs them
 */
export function dataResources(mount: string, parts: () => DataParts): Record<string, Resource> {
  return {
    [mount || '/']: {
      GET: operation(page, async ({ res, query: { limit, cursor } }) => {
        const { value, release } = await parts().store.list(limit, cursor?.toLowerCase());
        whenSent(res, release);
        sendHeld(res, 200, value.body, value.room);
      }),
      POST: operation(noParameters, (exchange) => postDocument(exchange, mount, parts())),
    },
    [`${mount}/:id`]: {
      GET: operation(noParameters, async ({ res, params }) => {
        const id = z.uuid().safeParse(params.id?.toLowerCase()).data;
        const found = id === undefined ? undefined : await parts().store.find(id);
        if (!found?.value) throw new Problem('not-found', 'There is no document with this id.');
        whenSent(res, found.release);
        sendHeld(res, 200, found.value.body, found.value.room);
      }),
    },
  };
}

/** A body that is parsed in less than a millisecond, in bytes. */
const SMALL = 4096;

/** Memory for a request besides its body: its connection, its objects, and a small document parsed. */
const REQUEST_ROOM = 32 * 1024;

async function postDocument(
  exchange: Exchange,
  mount: string,
  { store, memory, turns, bodyLimitBytes, timeoutMs }: DataParts,
): Promise<void> {
  const { req, res } = exchange;
  // half of the time that is left: the other half is for the write
  const latestStart = (since: number) => (performance.now() + since + timeoutMs) / 2;
  let insert: Insert | undefined;
  try {
    const key = parseIdempotencyKey(req.headers['idempotency-key']);
    const size = announcedSize(req, bodyLimitBytes);
    const begin = performance.now();
    // the body, and the document made of it
    const room = await memory.reserve(2 * size + REQUEST_ROOM, 'post', begin + timeoutMs);
    const waitedMs = performance.now() - begin;
    try {
      const body =
        readAtOnce(req, bodyLimitBytes) ?? (await readSlowly(exchange, room, bodyLimitBytes));
      // what the client took for the body does not count
      const since = performance.now() - waitedMs;
      const turn =
        body.length > SMALL && (await turns.reserve(body.length, 'post', latestStart(since)));
      try {
        insert = toInsert(parseDocument(body, room), key);
        await store.insert(insert, since);
      } finally {
        if (turn) turn.release();
      }
      const { id, createdAt, document } = insert;
      const head = `{"id":${JSON.stringify(id)},"createdAt":"${createdAt.toISOString()}","data":`;
      const { json } = document;
      // a short text in one piece is sent fastest; a long one is not copied
      const created = typeof json === 'string' ? `${head}${json}}` : [head, json, '}'];
      sendHeld(res, 201, created, room, { Location: `${mount}/${id}` });
    } finally {
      // not before: the document is held until it is written, though its client may be gone
      whenSent(res, () => room.release());
    }
  } catch (error) {
    throw toProblem(error, {
      id: insert?.id ?? newId(),
      sent: (insert?.sends ?? 0) > 0,
      keyed: insert?.key !== undefined,
    });
  }
}

function parseDocument(body: Buffer, room: Reservation): Document {
  const { value, elements } = checkDocument(parseJson(body));
  const document = toDocument(value, elements);
  if (!room.resize(document.json.length + REQUEST_ROOM)) {
    throw new Overloaded('no memory for a document larger than its body');
  }
  return document;
}

async function readSlowly({ req, res }: Exchange, room: Reservation, limit: number) {
  const cut = new AbortController();
  const transfer = room.trackTransfer(() =>
    cut.abort(new Overloaded('the body came slowly, and others waited for memory')),
  );
  try {
    return await readBody(req, res, limit, transfer, cut.signal);
  } finally {
    transfer.end();
  }
}

function sendHeld(
  res: ServerResponse,
  status: number,
  body: Body,
  room: Reservation,
  headers?: Record<string, string>,
): void {
  sendBody(res, status, 'application/json', body, headers, () =>
    room.trackTransfer(() => res.destroy()),
  );
}
