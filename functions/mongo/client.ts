import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, MongoClient, TopologyDescription } from 'mongodb';
import { deferred } from '../runtime/deferred';
import { log } from '../runtime/log';
import { createWatchdog } from './watchdog';

export const COLLECTION = 'documents';

/** A document as MongoDB keeps it. The id is a UUIDv7, so that its order is the order of writing. */
export interface Stored {
  _id: string;
  createdAt: Date;
  data: object;
  /** With which it was posted, if it was: unique in the collection. */
  idempotencyKey?: string;
  /** SHA-256 of the posted document, of those with a key. */
  fingerprint?: string;
}

/** A client that has reached MongoDB. */
export interface Session {
  db: Db;
  documents: Collection<Stored>;
  /** When MongoDB last answered an operation, in ms as `performance.now()` tells them. */
  answeredAt: number;
  /** Aborted when another session has taken its place. */
  retired: AbortSignal;
}

export type Reach = 'connecting' | 'reachable' | 'unreachable';

export interface Clients {
  reach(): Reach;
  /** Since when MongoDB has been unreachable, in ms as `performance.now()` tells them; else Infinity. */
  awaySince(): number;
  /** Why it could not be reached the last time. */
  reason(): Error | undefined;
  /** False when even a new client does not watch its server. */
  watching(): boolean;
  /** The session to use, as soon as there is one. Starts to connect if that hasn't begun. */
  session(): Session | Promise<Session>;
  /** Runs with a session that isn't closed before the end, though another takes its place. */
  using<T>(session: Session, operation: () => Promise<T>): Promise<T>;
  /** Says that a session does not answer: unless it does meanwhile, a new client replaces its own. */
  suspect(session: Session): void;
  close(): Promise<void>;
}

/** After which the next attempt to connect begins, though the last has had no answer yet. */
const overlapMs = 1000;
/** Between a failed attempt and the next: a fifth of a second more each time, up to this. */
const longestPauseMs = 1000;
const closeMs = 1000;

/**
 * Keeps a MongoClient that works. The driver repairs itself after most faults; where it does not
 * (its monitor has stopped, or its connections have died without a word), a new client takes its
 * place as soon as that reaches MongoDB. The old one is closed when its last operation ends.
 *
 * @param create makes a client that has not connected yet
 * @param heartbeatMs how often its driver looks at its server
 * @param prepare is called with each new session, and not waited for; it may fail
 */
export function keepClient(
  create: () => MongoClient,
  database: string,
  heartbeatMs: number,
  prepare: (session: Session) => Promise<void>,
): Clients {
  interface Opened extends Session {
    client: MongoClient;
    operations: number;
    retire(): void;
  }

  let current: Opened | undefined;
  let reach: Reach = 'connecting';
  let awaySince = Number.POSITIVE_INFINITY;
  let reason: Error | undefined;
  let closed = false;
  let isConnecting = false;
  let reached = deferred<void>();
  const retired = new Set<Opened>();

  const watchdog = createWatchdog(heartbeatMs, () => {
    log.error('the MongoDB driver has stopped watching its server: its client is replaced');
    reconnect(true);
  });

  function open(): Opened {
    const client = create();
    const db = client.db(database);
    const retirement = new AbortController();
    setMaxListeners(0, retirement.signal);
    const session = {
      client,
      db,
      documents: db.collection<Stored>(COLLECTION),
      answeredAt: 0,
      retired: retirement.signal,
      retire: () => retirement.abort(),
      operations: 0,
    };
    for (const event of ['Started', 'Succeeded', 'Failed'] as const) {
      client.on(`serverHeartbeat${event}`, watchdog.seen);
    }
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (session === current && !hasWritableServer(newDescription)) reconnect();
    });
    return session;
  }

  /** Connects until a client reaches MongoDB, or the one there is has answered meanwhile. */
  function reconnect(force = false): void {
    if (closed || isConnecting) return;
    isConnecting = true;
    void connectUntilReached(force).finally(() => {
      isConnecting = false;
    });
  }

  async function connectUntilReached(force: boolean): Promise<void> {
    const begin = performance.now();
    const attempts = new Set<Opened>();
    let winner: Opened | undefined;
    const isOver = () => closed || winner !== undefined;

    async function attempt(): Promise<void> {
      const started = performance.now();
      const session = open();
      attempts.add(session);
      try {
        await session.client.connect();
        if (!isOver()) {
          winner = session;
          attempts.delete(session);
        }
      } catch (error) {
        if (isOver()) return;
        if (current && current.answeredAt > started && !force) winner = current;
        else setUnreachable(error as Error, begin);
      } finally {
        if (attempts.delete(session)) discard(session);
      }
    }

    for (let pauseMs = 200; !isOver(); pauseMs = Math.min(pauseMs + 200, longestPauseMs)) {
      const isAnswered = await Promise.race([attempt().then(() => true), sleep(overlapMs, false)]);
      if (isAnswered && !isOver()) await sleep(pauseMs);
    }
    for (const session of attempts) discard(session);
    if (!winner || closed) {
      if (winner && winner !== current) discard(winner);
      return;
    }
    if (current && current.answeredAt > begin && !force) {
      if (winner !== current) discard(winner);
    } else {
      replaceBy(winner);
    }
    setReachable();
  }

  function replaceBy(session: Opened): void {
    const old = current;
    current = session;
    if (old) {
      retired.add(old);
      old.retire();
      closeIfUnused(old);
    }
    prepare(session).catch(() => {});
  }

  function closeIfUnused(session: Opened): void {
    if (session.operations === 0 && retired.delete(session)) discard(session);
  }

  function setUnreachable(error: Error, since: number): void {
    if (reason?.message !== error.message) {
      log.warn({ reason: error.message }, 'MongoDB is unreachable');
    }
    reason = error;
    awaySince = Math.min(awaySince, since);
    if (reach === 'reachable') {
      reach = 'unreachable';
      reached = deferred();
    }
  }

  function setReachable(): void {
    if (reach === 'connecting' || reason) log.info('MongoDB is reachable');
    reason = undefined;
    awaySince = Number.POSITIVE_INFINITY;
    reach = 'reachable';
    reached.resolve();
  }

  return {
    reach: () => reach,
    awaySince: () => awaySince,
    reason: () => reason,
    watching: watchdog.healthy,
    session() {
      if (reach === 'reachable' && current) return current;
      if (!current) {
        if (awaySince === Number.POSITIVE_INFINITY) awaySince = performance.now();
        watchdog.start();
      }
      reconnect();
      return reached.promise.then(() => current as Session);
    },
    async using(session, operation) {
      const opened = session as Opened;
      opened.operations++;
      try {
        return await operation();
      } finally {
        opened.operations--;
        closeIfUnused(opened);
      }
    },
    suspect(session) {
      if (session === current) reconnect();
    },
    async close() {
      closed = true;
      watchdog.stop();
      const open = [...retired, ...(current ? [current] : [])];
      await Promise.race([
        Promise.allSettled(open.map(({ client }) => client.close())),
        sleep(closeMs, undefined, { ref: false }),
      ]);
    },
  };

  /** Not waited for: a client with a connection that is stuck may never be closed. */
  function discard({ client }: Opened): void {
    client.close().catch(() => {});
  }
}

function hasWritableServer({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some((server) => server.isWritable);
}
