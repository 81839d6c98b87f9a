import type { ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { checkDocument, type Document, toDocument } from './documents/document';
import { newId } from './documents/id';
import { parseIdempotencyKey } from './documents/idempotency-key';
import { type PendingDocument, toPendingDocument } from './documents/pending-document';
import type { Store } from './documents/store';
import { declaredSize, parseJson, readBody, readBuffered } from './http/body';
import { Problem, toProblem } from './http/problem';
import { noParameters } from './http/query';
import { type Body, sendBody, whenClosed } from './http/respond';
import { type Exchange, operation, type Resource } from './http/router';
import { Overloaded } from './runtime/errors';
import type { Memory, Reservation } from './runtime/memory';
import { wholeNumber } from './runtime/whole-number';

const pageParameters = z.strictObject({
  limit: z._default(wholeNumber(1, 200), 50),
  cursor: z.optional(z.uuidv7('must be the "next" of an earlier page')),
});

/** What the handlers need. Times are in ms, sizes in bytes. */
export interface DataParts {
  store: Store;
  memory: Memory;
  /**
   * Bounds the bodies that are parsed and written at a time. A document of 1 MiB can cost half a
   * second of CPU: when many arrive at once, those in progress finish first, and the others are
   * rejected before they have cost anything.
   */
  turns: Memory;
  bodyLimitBytes: number;
  /** How long a request may wait for memory. */
  timeoutMs: number;
}

/**
 * The collection of documents and its members.
 *
 * @param mount the path of the collection, such as `/data`, or `''` for the root
 * @param parts called on the first request that needs them
 */
export function dataResources(mount: string, parts: () => DataParts): Record<string, Resource> {
  return {
    [mount || '/']: {
      GET: operation(pageParameters, async ({ res, query: { limit, cursor } }) => {
        const { value, release } = await parts().store.list(limit, cursor?.toLowerCase());
        whenClosed(res, release);
        sendReserved(res, 200, value.body, value.reservation);
      }),
      POST: operation(noParameters, (exchange) => postDocument(exchange, mount, parts())),
    },
    [`${mount}/:id`]: {
      GET: operation(noParameters, async ({ res, params }) => {
        const id = z.uuid().safeParse(params.id?.toLowerCase()).data;
        const found = id === undefined ? undefined : await parts().store.find(id);
        if (!found?.value) throw new Problem('not-found', 'There is no document with this id.');
        whenClosed(res, found.release);
        sendReserved(res, 200, found.value.body, found.value.reservation);
      }),
    },
  };
}

/** Bodies up to this many bytes are parsed in less than a millisecond. */
const SMALL_BODY_BYTES = 4096;

/** Memory of a request besides its body: its connection, its objects, a small parsed document. */
const REQUEST_MEMORY = 32 * 1024;

async function postDocument(
  exchange: Exchange,
  mount: string,
  { store, memory, turns, bodyLimitBytes, timeoutMs }: DataParts,
): Promise<void> {
  const { req, res } = exchange;
  // halfway to the deadline: the other half is for the write
  const latestStart = (waitingSince: number) => (performance.now() + waitingSince + timeoutMs) / 2;
  let pending: PendingDocument | undefined;
  try {
    const key = parseIdempotencyKey(req.headers['idempotency-key']);
    const size = declaredSize(req, bodyLimitBytes);
    const arrivedAt = performance.now();
    // the body, and the document made of it
    const reservation = await memory.reserve(
      2 * size + REQUEST_MEMORY,
      'post',
      arrivedAt + timeoutMs,
    );
    const waitedMs = performance.now() - arrivedAt;
    try {
      const body =
        readBuffered(req, bodyLimitBytes) ??
        (await readTracked(exchange, reservation, bodyLimitBytes));
      // the time that the client takes to send the body does not count
      const waitingSince = performance.now() - waitedMs;
      const turn =
        body.length > SMALL_BODY_BYTES &&
        (await turns.reserve(body.length, 'post', latestStart(waitingSince)));
      try {
        pending = toPendingDocument(parseDocument(body, reservation), key);
        await store.insert(pending, waitingSince);
      } finally {
        if (turn) turn.release();
      }
      const { id, createdAt, document } = pending;
      const head = `{"id":${JSON.stringify(id)},"createdAt":"${createdAt.toISOString()}","data":`;
      const { json } = document;
      // a short body is sent fastest in one piece; a long one is not copied
      const created = typeof json === 'string' ? `${head}${json}}` : [head, json, '}'];
      sendReserved(res, 201, created, reservation, { Location: `${mount}/${id}` });
    } finally {
      // not earlier: the document stays in memory until it is written, even if the client is gone
      whenClosed(res, () => reservation.release());
    }
  } catch (error) {
    throw toProblem(error, {
      id: pending?.id ?? newId(),
      sent: (pending?.sends ?? 0) > 0,
      keyed: pending?.key !== undefined,
    });
  }
}

function parseDocument(body: Buffer, reservation: Reservation): Document {
  const { value, elements } = checkDocument(parseJson(body));
  const document = toDocument(value, elements);
  if (!reservation.resize(document.json.length + REQUEST_MEMORY)) {
    throw new Overloaded('no memory for a document larger than its body');
  }
  return document;
}

/** Reads a body that is still arriving, and gives up if it is slow while others wait for memory. */
async function readTracked({ req, res }: Exchange, reservation: Reservation, limit: number) {
  const eviction = new AbortController();
  const transfer = reservation.trackTransfer(() =>
    eviction.abort(new Overloaded('the body arrived slowly while others waited for memory')),
  );
  try {
    return await readBody(req, res, limit, transfer, eviction.signal);
  } finally {
    transfer.end();
  }
}

/** Sends a body, and gives up if the client is slow to take it while others wait for memory. */
function sendReserved(
  res: ServerResponse,
  status: number,
  body: Body,
  reservation: Reservation,
  headers?: Record<string, string>,
): void {
  sendBody(res, status, 'application/json', body, headers, () =>
    reservation.trackTransfer(() => res.destroy()),
  );
}
