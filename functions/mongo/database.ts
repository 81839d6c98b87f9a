import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { deferred } from '../runtime/deferred';
import { ConfigError, Overloaded, Unavailable } from '../runtime/errors';
import { type ConnectionState, createReconnectingClient, type Session } from './client';
import { libraries } from './lazy-libraries';
import { explainUriError } from './uri-options';

/** How to reach MongoDB, and how much of it one process may use. */
export interface MongoConfig {
  uri: string;
  auth?: { username: string; password: string };
  databaseName: string;
  /** The most connections that a process opens. */
  poolSize: number;
  /** How long a request may take, in ms. */
  timeoutMs: number;
}

/** What one attempt at an operation has to work with. */
export interface Attempt extends Pick<Session, 'db' | 'documents'> {
  /** Aborted when the time of the attempt is over. To be passed to the driver. */
  signal: AbortSignal;
  /** The remaining time, to be passed to the server, as nobody waits for the result any longer. */
  maxTimeMS: number;
}

/**
 * The process's access to MongoDB, and the only place that knows deadlines, retries and outages.
 * client.ts knows how to reconnect.
 */
export interface Database {
  /** Starts to connect, if that hasn't begun, and retries until it succeeds or `close` is called. */
  connect(): void;
  state(): ConnectionState;
  /** False when the driver has stopped monitoring its server, and a new client did not help. */
  isMonitoring(): boolean;
  /**
   * Waits until MongoDB is reachable.
   *
   * @param waitingSince when the oldest waiting request arrived, in ms on the clock of
   *   `performance.now()`
   * @throws {Unavailable} `timeoutMs` later, or at once if MongoDB has been unreachable that long
   */
  ready(waitingSince: number): Promise<void>;
  /**
   * Runs an operation until it succeeds, so it has to be repeatable. Every error of MongoDB, the
   * driver or the network is retried; an error of our own is not.
   *
   * @param name names its kind: operations of one kind are expected to take about the same time
   * @param waitingSince as for `ready`
   * @throws {Unavailable} `timeoutMs` later; after the first attempt, if none has succeeded for that
   *   long; or at once, if MongoDB has been unreachable that long. Nothing is sent afterwards.
   */
  run<T>(
    name: string,
    operation: (attempt: Attempt) => Promise<T>,
    waitingSince?: number,
  ): Promise<T>;
  /** Closes the connections. Running operations fail. */
  close(): Promise<void>;
}

/**
 * A session becomes suspect when an operation takes four times as long as the last one of its kind,
 * and at least this long. The time triples after each attempt that times out.
 */
const minSuspectMs = 1000;
const heartbeatMs = 2000;

/**
 * Opens the process's access to MongoDB. It connects when `connect`, `ready` or `run` is called.
 *
 * @param prepare is called with each new session, and not awaited; it may fail
 * @throws {ConfigError} for a URI that the driver can't use; the message repeats no part of it
 */
export function openDatabase(
  { uri, auth, databaseName, poolSize, timeoutMs }: MongoConfig,
  prepare: (session: Session) => Promise<void> = async () => {},
): Database {
  const connectMs = Math.min(timeoutMs, 5000);
  const options: MongoClientOptions = {
    ...(auth && { auth, authSource: 'admin' }),
    appName: 'functions',
    maxPoolSize: poolSize,
    connectTimeoutMS: connectMs,
    serverSelectionTimeoutMS: connectMs,
    // the signal of each attempt is the actual limit for these two
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // the default depends on the environment: in a Knative pod the driver would poll
    serverMonitoringMode: 'stream',
    heartbeatFrequencyMS: heartbeatMs,
    // `run` retries, as it knows the deadline
    retryReads: false,
    retryWrites: false,
    readPreference: 'primary',
  };
  // created at once, so that an invalid URI is reported at once
  let first: MongoClient | undefined = createClient(uri, options);
  const client = createReconnectingClient(
    () => {
      const created = first ?? createClient(uri, options);
      first = undefined;
      return created;
    },
    databaseName,
    heartbeatMs,
    prepare,
  );

  const shortestMs = Math.min(minSuspectMs, timeoutMs / 4);
  const kinds = new Map<string, Kind>();

  function kindOf(name: string): Kind {
    let kind = kinds.get(name);
    if (!kind) {
      kind = { suspectAfterMs: shortestMs, errors: noErrors() };
      kinds.set(name, kind);
    }
    return kind;
  }

  /** @param cause the error of the previous attempt, if there was one */
  async function sessionBefore(deadline: number, cause?: unknown): Promise<Session> {
    const now = performance.now();
    if (now >= deadline && cause === undefined && client.state() === 'reachable') {
      throw new Overloaded('earlier requests used up the time limit');
    }
    if (now >= deadline || now - client.unreachableSince() > timeoutMs) throw unavailable(cause);
    const session = client.session();
    if (!(session instanceof Promise)) return session;
    const limit = createTimeLimit(deadline - now);
    try {
      return await Promise.race([session, limit.exceeded]);
    } catch {
      throw unavailable(cause);
    } finally {
      limit.cancel();
    }
  }

  function unavailable(cause: unknown): Unavailable {
    return new Unavailable(client.lastError() ?? cause);
  }

  /**
   * Runs one attempt. Without a reply, it continues until its session is replaced by one that works,
   * so that a slow or frozen server does not get the same operation twice. If other operations of the
   * session get replies, the attempt's own connection may be dead: then it is aborted after a while.
   */
  async function tryOnce<T>(
    name: string,
    session: Session,
    deadline: number,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const begin = performance.now();
    const limit = createTimeLimit(deadline - begin);
    const ms = kindOf(name).suspectAfterMs;
    const cancelStuckCheck = afterPoll(4 * ms, () => {
      if (session.repliedAt > begin) limit.abort();
    });
    const cancelSuspicion = afterPoll(ms, () => {
      if (session.repliedAt < begin) client.suspect(session);
      if (session.retired.aborted) limit.abort();
      else session.retired.addEventListener('abort', limit.abort);
    });
    const { db, documents } = session;
    const maxTimeMS = Math.max(1, Math.ceil(deadline - begin)); // 0 means no limit
    try {
      const attempt = client.using(session, () =>
        operation({ db, documents, signal: limit.signal, maxTimeMS }),
      );
      const result = await Promise.race([attempt, limit.exceeded]);
      recordSuccess(name, session, performance.now() - begin);
      return result;
    } finally {
      limit.cancel();
      cancelSuspicion();
      cancelStuckCheck();
      session.retired.removeEventListener('abort', limit.abort);
    }
  }

  function recordSuccess(name: string, session: Session, durationMs: number): void {
    session.repliedAt = performance.now();
    const kind = kindOf(name);
    kind.errors = noErrors();
    kind.suspectAfterMs = Math.min(Math.max(4 * durationMs, shortestMs), timeoutMs);
  }

  /** Records why an attempt failed. @throws if there is to be no further attempt */
  function recordFailure(name: string, session: Session, error: unknown): void {
    const now = performance.now();
    const kind = kindOf(name);
    if (isErrorReply(error)) {
      session.repliedAt = now;
      const { since, last } = kind.errors;
      // after a time without attempts, nothing is known
      kind.errors = { since: now - last > timeoutMs ? now : since, last: now };
      if (now - kind.errors.since > timeoutMs) throw unavailable(error);
      return;
    }
    if (!isRetryable(error)) {
      session.repliedAt = now;
      throw error;
    }
    if (error instanceof TimedOut) {
      kind.suspectAfterMs = Math.min(3 * kind.suspectAfterMs, timeoutMs);
    } else if (isConnectionFailure(error)) {
      client.suspect(session);
    }
  }

  return {
    connect: () => void client.session(),
    state: client.state,
    isMonitoring: client.isMonitoring,
    async ready(waitingSince) {
      await sessionBefore(waitingSince + timeoutMs);
    },
    async run(name, operation, waitingSince = performance.now()) {
      const deadline = waitingSince + timeoutMs;
      for (let tries = 1, cause: unknown; ; tries++) {
        const session = await sessionBefore(deadline, cause);
        try {
          return await tryOnce(name, session, deadline, operation);
        } catch (error) {
          recordFailure(name, session, error);
          cause = error;
          const left = deadline - performance.now();
          await sleep(Math.max(0, Math.min(pauseMs(tries, error), left)));
        }
      }
    },
    close: client.close,
  };
}

/** What is known of one kind of operation. */
interface Kind {
  suspectAfterMs: number;
  /** When MongoDB started to reply with errors only, and when it last did. */
  errors: { since: number; last: number };
}

const noErrors = () => ({ since: 0, last: Number.NEGATIVE_INFINITY });

/** MongoDB did not reply in time. */
class TimedOut extends Error {
  override name = 'TimedOut';

  override message = 'MongoDB did not reply in time';
}

/**
 * Calls back after a time, but not before what has arrived by then is processed: after a pause of the
 * process, a reply may have been waiting.
 *
 * @returns a function that cancels it
 */
function afterPoll(ms: number, callback: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(callback);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/** A time limit. Its signal is aborted, and `exceeded` rejects with TimedOut, when it is over. */
function createTimeLimit(ms: number) {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // the driver adds one per step
  const { promise: exceeded, reject } = deferred<never>();
  exceeded.catch(() => {});
  const abort = () => {
    const error = new TimedOut();
    reject(error);
    controller.abort(error);
  };
  const cancel = afterPoll(ms, abort);
  return { signal: controller.signal, exceeded, abort, cancel };
}

/** The pause before another attempt: 50 ms, doubled each time up to 1 s, with jitter. */
function pauseMs(tries: number, error: unknown): number {
  const { MongoError } = libraries();
  const isOverloaded = error instanceof MongoError && error.hasErrorLabel('SystemOverloadedError');
  const longest = Math.min(50 * 2 ** (tries + (isOverloaded ? 2 : 0) - 1), 1000);
  return longest * (0.5 + Math.random() / 2);
}

function createClient(...args: ConstructorParameters<typeof MongoClient>): MongoClient {
  try {
    return new (libraries().MongoClient)(...args);
  } catch (error) {
    throw new ConfigError([explainUriError(args[0], error)]);
  }
}

const AUTHENTICATION_FAILED = 18;

/** Whether MongoDB received the operation and replied with an error. */
function isErrorReply(error: unknown): boolean {
  return error instanceof libraries().MongoServerError && error.code !== AUTHENTICATION_FAILED;
}

/** Whether there was no usable connection for the operation. */
function isConnectionFailure(error: unknown): boolean {
  const { MongoError, MongoServerSelectionError } = libraries();
  return (
    error instanceof MongoServerSelectionError ||
    (error instanceof MongoError && error.code === AUTHENTICATION_FAILED)
  );
}

/** Whether an error comes from MongoDB, the driver or the network, and not from our own code. */
function isRetryable(error: unknown): boolean {
  const { BSON, MongoError, MongoInvalidArgumentError } = libraries();
  if (error instanceof TimedOut || BSON.BSONError.isBSONError(error)) return true;
  if (error instanceof MongoError) return !(error instanceof MongoInvalidArgumentError);
  // errors of a socket, such as EPIPE, pass through the driver
  return String((error as NodeJS.ErrnoException)?.code) in constants.errno;
}
