import type { ServerResponse } from 'node:http';
import { Overloaded } from '../runtime/errors';
import type { Memory, Reservation } from '../runtime/memory';
import { declaredSize, type HostedRequest, readBody, readBuffered } from './body';
import { whenClosed } from './respond';
import type { Exchange } from './router';

/** Bodies up to this many bytes are parsed in less than a millisecond, and count as small. */
const SMALL_BODY_BYTES = 4096;

/** Memory of a request besides its body: its connection, its objects, a small parsed document. */
export const REQUEST_MEMORY = 32 * 1024;

/** What reading a body may use. Times are in ms, sizes in bytes. */
export interface BodyLimits {
  /** For all requests in flight. */
  memory: Memory;
  /** Where the body is stored. */
  database: { state(): string; ready(waitingSince: number): Promise<void> };
  /**
   * For the large bodies that are handled at a time. A document of 1 MiB can cost half a second of
   * CPU: when many arrive at once, those in progress finish first, and the others are rejected before
   * they have cost anything.
   */
  largeBodies: Memory;
  /** The largest body that is accepted. */
  bodyLimitBytes: number;
  /** How long a request may wait, for memory and for MongoDB. */
  timeoutMs: number;
}

/** What a handler may need to know about the body it gets. */
export interface BodyInfo {
  /** The memory that is reserved for it. */
  reservation: Reservation;
  /**
   * When the request began to wait, in ms on the clock of `performance.now()`. The time that the
   * client took to send the body does not count.
   */
  waitingSince: number;
}

/**
 * Reads a JSON body and handles the request. Memory for the body, and for what is made of it, stays
 * reserved until the request was handled and the response was sent.
 *
 * @throws {Problem} 4xx for a body that is too large, incomplete or of another content type
 * @throws {Overloaded} when no memory becomes free in time, when too many large bodies are being handled,
 *   or when the body is slow while others wait for memory
 * @throws {Unavailable} when too many large bodies wait for MongoDB, and it does not become reachable
 */
export async function withBody(
  { req, res }: Exchange,
  limits: BodyLimits,
  handle: (body: Buffer, info: BodyInfo) => Promise<void>,
): Promise<void> {
  const { memory, bodyLimitBytes, timeoutMs } = limits;
  const bytes = 2 * declaredSize(req, bodyLimitBytes) + REQUEST_MEMORY;
  const arrivedAt = performance.now();
  const reservation = await memory.reserve(bytes, 'post', arrivedAt + timeoutMs);
  const waitedMs = performance.now() - arrivedAt;
  try {
    // not if it is chunked, as NaN is not small
    const isSmall = Number(req.headers['content-length']) <= SMALL_BODY_BYTES;
    if (isSmall && !req.complete) await nextTurn();
    const body =
      readBuffered(req, bodyLimitBytes) ??
      (await readTracked(req, res, reservation, bodyLimitBytes));
    const waitingSince = performance.now() - waitedMs;
    const isLarge = body.length > SMALL_BODY_BYTES;
    const share = isLarge && (await reserveShare(body.length, waitingSince, limits));
    try {
      await handle(body, { reservation, waitingSince });
    } finally {
      if (share) share.release();
    }
  } finally {
    // not earlier: the body stays in memory until it was handled, even if the client is gone
    whenClosed(res, () => reservation.release());
  }
}

let turn: Promise<void> | undefined;

/**
 * Resolves when Node has parsed what has arrived. A small body arrives together with the head of its
 * request, but is parsed after the head was handled; to wait for its events would cost more. Not for a
 * chunked body: unread, each chunk, even of one byte, is a Buffer in memory.
 */
function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}

/**
 * Reserves a share of what is for large bodies, until halfway to the deadline: the other half is for the
 * handler. While MongoDB is unreachable, the bodies that have a share wait for it, so this one waits too.
 */
async function reserveShare(
  bytes: number,
  waitingSince: number,
  { database, largeBodies, timeoutMs }: BodyLimits,
): Promise<Reservation> {
  for (;;) {
    try {
      const latestStart = (performance.now() + waitingSince + timeoutMs) / 2;
      return await largeBodies.reserve(bytes, 'post', latestStart);
    } catch (error) {
      if (database.state() === 'reachable') throw error;
      await database.ready(waitingSince);
    }
  }
}

/** Reads a body that is still arriving, and gives up if it is slow while others wait for memory. */
async function readTracked(
  req: HostedRequest,
  res: ServerResponse,
  reservation: Reservation,
  limit: number,
) {
  const eviction = new AbortController();
  const transfer = reservation.trackTransfer(() =>
    eviction.abort(
      new Overloaded('the body arrived slowly while others waited for memory', 'bandwidth'),
    ),
  );
  try {
    return await readBody(req, res, limit, transfer, eviction.signal);
  } finally {
    transfer.end();
  }
}
