import { setTimeout as sleep } from 'node:timers/promises';
import {
  get,
  type HttpConnection,
  type HttpResponse,
  openConnection,
} from '../common/http-connection';

/** The outcomes of a scenario's requests. */
export interface Tally {
  /** Responses, by status. */
  answers: Record<number, number>;
  /** Well-formed requests that got no response, by error code. */
  lost: Record<string, number>;
  /** Misbehaving connections that the service closed without a response. */
  cut: number;
  /** The highest latency of `GET /time` meanwhile, on a connection of its own, in ms. */
  slowestMs: number;
}

/** The service that a scenario runs against. */
export interface ServiceUnderTest {
  port: number;
  tally: Tally;
  freezeDatabase(): void;
  unfreezeDatabase(): void;
  /** Aborts when the time of the scenario is up. */
  signal: AbortSignal;
}

/** What a client sends as its n-th request. */
export type NthRequest = (n: number) => Buffer | string;

export const emptyTally = (): Tally => ({ answers: {}, lost: {}, cut: 0, slowestMs: 0 });

/** Sends a well-formed request and counts its outcome. Never rejects. */
export async function sendRequest(
  tally: Tally,
  connection: Pick<HttpConnection, 'request'>,
  bytes: Buffer | string,
  isHead = false,
): Promise<void> {
  try {
    const { status } = await connection.request(bytes, isHead);
    tally.answers[status] = (tally.answers[status] ?? 0) + 1;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    tally.lost[code] = (tally.lost[code] ?? 0) + 1;
  }
}

/**
 * A closed model: each client sends its next request when the response to the last one has
 * arrived, on a connection that it keeps alive.
 */
export async function runClients(
  service: ServiceUnderTest,
  { clients, requests }: { clients: number; requests: number },
  bytes: NthRequest,
  isHead = false,
): Promise<void> {
  let n = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      let connection: HttpConnection | undefined;
      while (n < requests && !service.signal.aborted) {
        if (!connection?.isUsable()) connection = openConnection(service.port);
        await sendRequest(service.tally, connection, bytes(n++), isHead);
      }
      connection?.socket.destroy();
    }),
  );
}

/**
 * Runs misbehaving clients, each on a connection of its own. The service may close any of them.
 *
 * @param ms after which the clients disconnect
 * @param behave what the n-th client does
 */
export async function runMisbehavingClients(
  service: ServiceUnderTest,
  { clients, ms = 10_000 }: { clients: number; ms?: number },
  behave: (connection: HttpConnection, n: number) => Promise<unknown>,
  open = openConnection,
): Promise<void> {
  const { port, tally, signal } = service;
  const connections = Array.from({ length: clients }, () => open(port));
  let isOver = false;
  const done = connections.map((connection, n) =>
    behave(connection, n).then(
      (response) => {
        const { status } = (response ?? {}) as { status?: number };
        if (status) tally.answers[status] = (tally.answers[status] ?? 0) + 1;
      },
      () => {
        if (!isOver) tally.cut++;
      },
    ),
  );
  await Promise.race([Promise.all(done), sleep(ms, undefined, { signal }).catch(() => {})]);
  isOver = true;
  for (const { socket } of connections) socket.destroy();
}

/**
 * Starts a well-behaved bystander, which sends `GET /time` every 100 ms until the signal aborts, and waits for
 * its first response. As most clients do, it repeats a request on a new connection if the one that it kept had
 * been closed in the meantime (RFC 9112, section 9.3.1); once, as that should not happen often.
 *
 * @returns what to await after the signal has aborted
 */
export async function startBystander(
  port: number,
  tally: Tally,
  signal: AbortSignal,
): Promise<{ stopped: Promise<void> }> {
  let connection: HttpConnection | undefined;
  let mayRepeat = true;
  async function request(bytes: Buffer | string): Promise<HttpResponse> {
    const kept = connection?.isUsable() ? connection : undefined;
    connection = kept ?? openConnection(port);
    try {
      return await connection.request(bytes);
    } catch (error) {
      if (!kept || !mayRepeat) throw error;
      mayRepeat = false;
      connection = openConnection(port);
      return connection.request(bytes);
    }
  }
  async function measure(): Promise<void> {
    const sentAt = performance.now();
    await sendRequest(tally, { request }, get('/time'));
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - sentAt);
    await sleep(100);
  }
  async function measureUntilStopped(): Promise<void> {
    while (!signal.aborted) await measure();
    connection?.socket.destroy();
  }
  await measure();
  return { stopped: measureUntilStopped() };
}
