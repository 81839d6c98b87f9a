import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, MongoClient, TopologyDescription } from 'mongodb';
import { deferred } from '../runtime/deferred';
import { log } from '../runtime/log';
import { clientCreated, clientReplaced } from './events';
import { createWatchdog } from './watchdog';

export const COLLECTION = 'documents';

/** A document as it is stored. The id is a UUIDv7, so its order is the order of writing. */
export interface Stored {
  _id: string;
  createdAt: Date;
  data: object;
  /** The Idempotency-Key it was posted with, if any: unique in the collection. */
  idempotencyKey?: string;
  /** SHA-256 of the posted document, if it has a key. */
  fingerprint?: string;
}

/** A MongoClient that has connected to MongoDB. */
export interface Session {
  db: Db;
  documents: Collection<Stored>;
  /** When MongoDB last replied to an operation, in ms on the clock of `performance.now()`. */
  repliedAt: number;
  /** Aborted when another session has replaced this one. */
  retired: AbortSignal;
}

/** `connecting` until MongoDB is reached for the first time. */
export type ConnectionState = 'connecting' | 'reachable' | 'unreachable';

/** The connection to MongoDB, whichever MongoClient it uses at the moment. */
export interface ReconnectingClient {
  state(): ConnectionState;
  /** Since when MongoDB is unreachable, in ms on the clock of `performance.now()`, or Infinity. */
  unreachableSince(): number;
  /** Why the last attempt to connect failed. */
  lastError(): Error | undefined;
  /** Why the driver has no server, which is known before an attempt to connect gives up. */
  serverError(): Error | undefined;
  /** False when even a new MongoClient does not monitor its server. */
  isMonitoring(): boolean;
  /** The current session, as soon as there is one. Starts to connect if that hasn't begun. */
  session(): Session | Promise<Session>;
  /** Runs an operation, and keeps the session open until it ends, even if another replaces it. */
  using<T>(session: Session, operation: () => Promise<T>): Promise<T>;
  /** Reports that an operation of a session has succeeded. Ends an outage if its driver has a server. */
  succeeded(session: Session): void;
  /** Reports that a session does not reply. Unless it does in the meantime, it is replaced. */
  suspect(session: Session): void;
  close(): Promise<void>;
}

/** After this time, the next attempt to connect starts, even if the last one is still pending. */
const attemptOverlapMs = 1000;
/** The pause after a failed attempt to connect: longer each time, up to a maximum. */
const pauseStepMs = 200;
const maxPauseMs = 1000;
/** Lets the operations that wait for a new session have its first connection. */
const prepareDelayMs = 100;
const closeTimeoutMs = 1000;

/**
 * Keeps a working MongoClient. The driver recovers from most faults by itself. Where it does not (its
 * monitor has stopped, or its connections have died silently), a new MongoClient replaces the old one
 * as soon as it has connected. The old one is closed when its last operation ends.
 *
 * @param createClient creates a MongoClient that has not connected yet
 * @param heartbeatMs how often its driver checks its server
 * @param prepare is called soon after each new session, and not awaited; it may fail
 */
export function createReconnectingClient(
  createClient: () => MongoClient,
  databaseName: string,
  heartbeatMs: number,
  prepare: (session: Session) => Promise<void>,
): ReconnectingClient {
  interface OpenSession extends Session {
    client: MongoClient;
    /** Whether its driver knows a server that can be written to. */
    hasServer: boolean;
    /** How many operations are running. */
    operations: number;
    retire(): void;
  }

  let current: OpenSession | undefined;
  let state: ConnectionState = 'connecting';
  let unreachableSince = Number.POSITIVE_INFINITY;
  let lastError: Error | undefined;
  let serverError: Error | undefined;
  let isClosed = false;
  let isConnecting = false;
  let whenReachable = deferred<void>();
  const retired = new Set<OpenSession>();

  const watchdog = createWatchdog(heartbeatMs, () => {
    log.error('the MongoDB driver has stopped monitoring its server: replacing its client');
    reconnect(true);
  });

  function openSession(): OpenSession {
    const client = createClient();
    clientCreated.publish(client);
    const db = client.db(databaseName);
    const retirement = new AbortController();
    setMaxListeners(0, retirement.signal);
    const session: OpenSession = {
      client,
      hasServer: false,
      db,
      documents: db.collection<Stored>(COLLECTION),
      repliedAt: 0,
      retired: retirement.signal,
      retire: () => retirement.abort(),
      operations: 0,
    };
    for (const event of ['Started', 'Succeeded', 'Failed'] as const) {
      client.on(`serverHeartbeat${event}`, watchdog.seen);
    }
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      session.hasServer = hasWritableServer(newDescription);
      serverError = errorOf(newDescription) ?? serverError;
      if (session === current && !session.hasServer) reconnect();
    });
    return session;
  }

  /** @param force replaces the current session even if it replies in the meantime */
  function reconnect(force = false): void {
    if (isClosed || isConnecting) return;
    isConnecting = true;
    void connectUntilReachable(force).finally(() => {
      isConnecting = false;
    });
  }

  /** Connects until a new session works, or the current one has replied and has a server. */
  async function connectUntilReachable(force: boolean): Promise<void> {
    const begin = performance.now();
    // a late reply on an old connection says nothing about a server that the driver has lost
    const currentReplied = () =>
      !force && current !== undefined && current.hasServer && current.repliedAt > begin;
    const connected = await connectFirst((error) => {
      if (currentReplied()) return false;
      setUnreachable(error, begin);
      return true;
    });
    if (connected) {
      if (isClosed || currentReplied()) discard(connected);
      else replaceCurrent(connected);
    }
    if (!isClosed) setReachable();
  }

  /**
   * Starts attempts to connect, one after another, until the first has connected. The next one starts
   * even if the last one is still pending.
   *
   * @param mayRetry decides after each failed attempt whether to go on
   * @returns the session that has connected, or undefined if the attempts were given up
   */
  async function connectFirst(
    mayRetry: (error: Error) => boolean,
  ): Promise<OpenSession | undefined> {
    const attempts = new Set<OpenSession>();
    let connected: OpenSession | undefined;
    let isGivenUp = false;
    const isOver = () => isClosed || isGivenUp || connected !== undefined;

    async function attempt(): Promise<void> {
      const session = openSession();
      attempts.add(session);
      try {
        await session.client.connect();
        if (!isOver()) {
          connected = session;
          attempts.delete(session);
        }
      } catch (error) {
        if (!isOver()) isGivenUp = !mayRetry(error as Error);
      } finally {
        if (attempts.delete(session)) discard(session);
      }
    }

    for (let pauseMs = pauseStepMs; !isOver(); ) {
      const isSettled = await Promise.race([
        attempt().then(() => true),
        sleep(attemptOverlapMs, false),
      ]);
      if (isSettled && !isOver()) await sleep(pauseMs);
      pauseMs = Math.min(pauseMs + pauseStepMs, maxPauseMs);
    }
    for (const session of attempts) discard(session);
    return connected;
  }

  function replaceCurrent(session: OpenSession): void {
    const old = current;
    current = session;
    if (old) {
      clientReplaced.publish(undefined);
      retired.add(old);
      old.retire();
      closeIfUnused(old);
    }
    setTimeout(() => {
      if (session === current && !isClosed) prepare(session).catch(() => {});
    }, prepareDelayMs).unref();
  }

  function closeIfUnused(session: OpenSession): void {
    if (session.operations === 0 && retired.delete(session)) discard(session);
  }

  function setUnreachable(error: Error, since: number): void {
    if (lastError?.message !== error.message) {
      log.warn({ reason: error.message }, 'MongoDB is unreachable');
    }
    lastError = error;
    unreachableSince = Math.min(unreachableSince, since);
    if (state === 'reachable') {
      state = 'unreachable';
      whenReachable = deferred();
    }
  }

  function setReachable(): void {
    if (state === 'connecting' || lastError) log.info('MongoDB is reachable');
    lastError = undefined;
    serverError = undefined;
    unreachableSince = Number.POSITIVE_INFINITY;
    state = 'reachable';
    whenReachable.resolve();
  }

  return {
    state: () => state,
    unreachableSince: () => unreachableSince,
    lastError: () => lastError,
    serverError: () => serverError,
    isMonitoring: watchdog.healthy,
    session() {
      if (state === 'reachable' && current) return current;
      if (!current) {
        if (unreachableSince === Number.POSITIVE_INFINITY) unreachableSince = performance.now();
        watchdog.start();
      }
      reconnect();
      return whenReachable.promise.then(() => current as Session);
    },
    async using(session, operation) {
      const open = session as OpenSession;
      open.operations++;
      try {
        return await operation();
      } finally {
        open.operations--;
        closeIfUnused(open);
      }
    },
    succeeded(session) {
      session.repliedAt = performance.now();
      if (session === current && current.hasServer && state === 'unreachable') setReachable();
    },
    suspect(session) {
      if (session === current) reconnect();
    },
    async close() {
      isClosed = true;
      watchdog.stop();
      const open = [...retired, ...(current ? [current] : [])];
      await Promise.race([
        Promise.allSettled(open.map(({ client }) => client.close())),
        sleep(closeTimeoutMs, undefined, { ref: false }),
      ]);
    },
  };

  /** Not awaited, as closing a client with a stuck connection may never end. */
  function discard({ client }: OpenSession): void {
    client.close().catch(() => {});
  }
}

function hasWritableServer({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some((server) => server.isWritable);
}

function errorOf({ servers }: TopologyDescription): Error | undefined {
  return [...servers.values()].find(({ error }) => error)?.error ?? undefined;
}
