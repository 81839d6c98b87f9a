import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, get, open } from './connection';

/** What became of a load's requests. */
export interface Tally {
  /** Answers, by status. */
  answers: Record<number, number>;
  /** Requests that were sent as they should be and got no answer, by what happened instead. */
  lost: Record<string, number>;
  /** Connections that misbehaved and were ended without an answer. */
  cut: number;
  /** The longest that `GET /time` took meanwhile on a connection of its own, in ms. */
  slowestMs: number;
}

/** What a load is sent to. */
export interface Target {
  port: number;
  tally: Tally;
  /** Which database it has can stand still. */
  freeze(): void;
  thaw(): void;
  /** Ends when the load has to, so that one that hangs is seen to. */
  signal: AbortSignal;
}

export const emptyTally = (): Tally => ({ answers: {}, lost: {}, cut: 0, slowestMs: 0 });

/** Sends a request as it should be sent, and counts what comes. */
export async function send(
  { tally }: Pick<Target, 'tally'>,
  connection: Connection,
  bytes: Buffer | string,
  head = false,
): Promise<void> {
  try {
    const { status } = await connection.ask(bytes, head);
    tally.answers[status] = (tally.answers[status] ?? 0) + 1;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    tally.lost[code] = (tally.lost[code] ?? 0) + 1;
  }
}

/** Clients that each send the next request when the last one is answered, on connections that stay open. */
export async function repeat(
  target: Target,
  { clients, requests }: { clients: number; requests: number },
  bytes: (n: number) => Buffer | string,
  head = false,
): Promise<void> {
  let n = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      let connection: Connection | undefined;
      while (n < requests && !target.signal.aborted) {
        if (!connection?.isUsable()) connection = open(target.port);
        await send(target, connection, bytes(n++), head);
      }
      connection?.socket.destroy();
    }),
  );
}

/**
 * Clients that misbehave, each on a connection of its own that ends with the load.
 *
 * @param act what the n-th does; whatever ends its connection is no fault of the service
 * @param ms how long they stay
 */
export async function misbehave(
  target: Target,
  { clients, ms = 10_000 }: { clients: number; ms?: number },
  act: (connection: Connection, n: number) => Promise<unknown>,
  make = open,
): Promise<void> {
  const connections = Array.from({ length: clients }, () => make(target.port));
  let over = false;
  const acts = connections.map((connection, n) =>
    act(connection, n).then(
      (got) => {
        const { status } = (got ?? {}) as { status?: number };
        if (status) target.tally.answers[status] = (target.tally.answers[status] ?? 0) + 1;
      },
      () => {
        if (!over) target.tally.cut++;
      },
    ),
  );
  const { signal } = target;
  await Promise.race([Promise.all(acts), sleep(ms, undefined, { signal }).catch(() => {})]);
  over = true;
  for (const { socket } of connections) socket.destroy();
}

/** Asks for the time every 100 ms until `signal` says otherwise, as somebody who has done nothing wrong. */
export async function standBy(port: number, tally: Tally, signal: AbortSignal): Promise<void> {
  let connection = open(port);
  while (!signal.aborted) {
    if (!connection.isUsable()) connection = open(port);
    const begin = performance.now();
    await send({ tally }, connection, get('/time'));
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - begin);
    await sleep(100);
  }
  connection.socket.destroy();
}
