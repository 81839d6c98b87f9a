import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { deferred } from '../runtime/deferred';
import { ConfigError, Overloaded, Unavailable } from '../runtime/errors';
import { keepClient, type Reach, type Session } from './client';
import { libraries } from './lazy-libraries';
import { explainUriError } from './uri-options';

/** Where MongoDB is, and how much of it one process may use. */
export interface MongoConfig {
  uri: string;
  auth?: { username: string; password: string };
  /** The database's name. */
  database: string;
  /** How many connections at most. */
  poolSize: number;
  /** How long a request may take, in ms. */
  timeoutMs: number;
}

/** What one attempt at an operation has to work with. */
export interface Attempt extends Pick<Session, 'db' | 'documents'> {
  /** Aborted when the time of the attempt is over. To be passed on to the driver. */
  signal: AbortSignal;
  /** What is left until then, for the server: nobody waits for it any longer. */
  maxTimeMS: number;
}

export type OperationName = 'insert' | 'find' | 'list';

/**
 * The process's access to MongoDB, and the one place that knows deadlines, retries and outages; with
 * client.ts, which knows how to reconnect.
 */
export interface Database {
  /** Starts to connect, if that hasn't begun, and goes on until it works or the client is closed. */
  connect(): void;
  reach(): Reach;
  /** False when the driver does not watch its server any more, and a new client did not help. */
  watching(): boolean;
  /**
   * Waits until MongoDB is reachable.
   *
   * @param since when whoever waits for it began to, in ms as `performance.now()` tells them
   * @throws {Unavailable} `timeoutMs` after that, or at once when it has been unreachable that long
   */
  ready(since: number): Promise<void>;
  /**
   * Runs an operation until it succeeds, so it must be one that can be repeated. Whatever MongoDB,
   * the driver or the network says against it is a reason to try again; an error of our own is not.
   *
   * @param since as for `ready`
   * @throws {Unavailable} `timeoutMs` after that, after the first attempt when none has succeeded for
   *   that long, or at once when MongoDB has been unreachable that long. Nothing is sent any more.
   */
  run<T>(
    name: OperationName,
    operation: (attempt: Attempt) => Promise<T>,
    since?: number,
  ): Promise<T>;
  /** Closes the connections. Operations under way fail. */
  close(): Promise<void>;
}

/**
 * When an operation has no answer after four times what the last of its kind took, but not sooner than
 * this, its session is suspected. Three times as much after each attempt in vain.
 */
const shortestPatienceMs = 1000;
const heartbeatMs = 2000;

/**
 * Opens the process's access to MongoDB. Nothing connects before `connect`, `ready` or `run` is called.
 *
 * @param prepare is called with each new session, and not waited for; it may fail
 * @throws {ConfigError} for a URI that the driver can't use; it repeats no part of it
 */
export function openDatabase(
  { uri, auth, database, poolSize, timeoutMs }: MongoConfig,
  prepare: (session: Session) => Promise<void> = async () => {},
): Database {
  const connectMs = Math.min(timeoutMs, 5000);
  const options: MongoClientOptions = {
    ...(auth && { auth, authSource: 'admin' }),
    appName: 'functions',
    maxPoolSize: poolSize,
    connectTimeoutMS: connectMs,
    serverSelectionTimeoutMS: connectMs,
    // these two are bounded by the signal of each attempt
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // the same in a Knative pod, where the driver would poll, and anywhere else
    serverMonitoringMode: 'stream',
    heartbeatFrequencyMS: heartbeatMs,
    // retries are made here, where the deadline is known
    retryReads: false,
    retryWrites: false,
    readPreference: 'primary',
  };
  let first: MongoClient | undefined = createClient(uri, options);
  const create = () => {
    const client = first ?? createClient(uri, options);
    first = undefined;
    return client;
  };
  const clients = keepClient(create, database, heartbeatMs, prepare);

  const leastPatienceMs = Math.min(shortestPatienceMs, timeoutMs / 4);
  const patienceMs = { insert: leastPatienceMs, find: leastPatienceMs, list: leastPatienceMs };
  /** When MongoDB began to answer with nothing but errors, and when it last did. */
  const failing = { insert: none(), find: none(), list: none() };

  async function sessionBefore(deadline: number, cause?: unknown): Promise<Session> {
    const now = performance.now();
    if (now >= deadline && cause === undefined && clients.reach() === 'reachable') {
      throw new Overloaded('earlier requests took all the time');
    }
    if (now >= deadline || now - clients.awaySince() > timeoutMs) throw unavailable(cause);
    const session = clients.session();
    if (!(session instanceof Promise)) return session;
    const limit = createLimit(deadline - now);
    try {
      return await Promise.race([session, limit.over]);
    } catch {
      throw unavailable(cause);
    } finally {
      limit.end();
    }
  }

  function unavailable(cause: unknown): Unavailable {
    return new Unavailable(clients.reason() ?? cause);
  }

  /**
   * Runs one attempt. Without an answer, it goes on until its session is replaced by one that works,
   * so that a slow database, or one that was frozen, is not asked again for nothing. Where others are
   * answered meanwhile, its own connection may be dead: it is given up after some more time.
   */
  async function tryOnce<T>(
    name: OperationName,
    session: Session,
    deadline: number,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const begin = performance.now();
    const limit = createLimit(deadline - begin);
    const ms = patienceMs[name];
    const cancelStuck = afterPoll(4 * ms, () => {
      if (session.answeredAt > begin) limit.giveUp();
    });
    const cancelPatience = afterPoll(ms, () => {
      if (session.answeredAt < begin) clients.suspect(session);
      if (session.retired.aborted) limit.giveUp();
      else session.retired.addEventListener('abort', limit.giveUp);
    });
    const { db, documents } = session;
    const maxTimeMS = Math.max(1, Math.ceil(deadline - begin)); // 0 is no limit
    try {
      const attempt = clients.using(session, () =>
        operation({ db, documents, signal: limit.signal, maxTimeMS }),
      );
      const result = await Promise.race([attempt, limit.over]);
      answered(name, session, performance.now() - begin);
      return result;
    } finally {
      limit.end();
      cancelPatience();
      cancelStuck();
      session.retired.removeEventListener('abort', limit.giveUp);
    }
  }

  function answered(name: OperationName, session: Session, tookMs: number): void {
    session.answeredAt = performance.now();
    failing[name] = none();
    patienceMs[name] = Math.min(Math.max(4 * tookMs, leastPatienceMs), timeoutMs);
  }

  /** Draws the conclusions from a failed attempt, and throws where there shall be no other one. */
  function failed(name: OperationName, session: Session, error: unknown): void {
    const now = performance.now();
    if (isAnswer(error)) {
      session.answeredAt = now;
      const { since, last } = failing[name];
      // after a time in which nothing was tried, it is not known to fail
      failing[name] = { since: now - last > timeoutMs ? now : since, last: now };
      if (now - failing[name].since > timeoutMs) throw unavailable(error);
      return;
    }
    if (!isFault(error)) {
      session.answeredAt = now;
      throw error;
    }
    if (error instanceof TimedOut) {
      patienceMs[name] = Math.min(3 * patienceMs[name], timeoutMs);
    } else if (isNoConnection(error)) {
      clients.suspect(session);
    }
  }

  return {
    connect: () => void clients.session(),
    reach: clients.reach,
    watching: clients.watching,
    async ready(since) {
      await sessionBefore(since + timeoutMs);
    },
    async run(name, operation, since = performance.now()) {
      const deadline = since + timeoutMs;
      for (let tries = 1, cause: unknown; ; tries++) {
        const session = await sessionBefore(deadline, cause);
        try {
          return await tryOnce(name, session, deadline, operation);
        } catch (error) {
          failed(name, session, error);
          cause = error;
          const left = deadline - performance.now();
          await sleep(Math.max(0, Math.min(pauseMs(tries, error), left)));
        }
      }
    },
    close: clients.close,
  };
}

const none = () => ({ since: 0, last: Number.NEGATIVE_INFINITY });

/** An answer did not come in time. */
class TimedOut extends Error {
  override name = 'TimedOut';

  override message = 'MongoDB has not answered in time';
}

/**
 * Calls back after a time; after a pause of the process, not before what has come meanwhile is read.
 *
 * @returns cancels it
 */
function afterPoll(ms: number, then: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(then);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/** A time limit, and a signal that is aborted when it is over. */
function createLimit(ms: number) {
  const aborter = new AbortController();
  setMaxListeners(0, aborter.signal); // the driver adds one for each step
  const { promise: over, reject } = deferred<never>();
  over.catch(() => {});
  const giveUp = () => {
    const error = new TimedOut();
    reject(error);
    aborter.abort(error);
  };
  const end = afterPoll(ms, giveUp);
  return {
    signal: aborter.signal,
    /** Rejects with TimedOut. */
    over,
    giveUp,
    end,
  };
}

/** Before another attempt: 50 ms, twice as much each time up to a second, and at random less. */
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

/** Whether MongoDB has taken the operation and answers with an error. */
function isAnswer(error: unknown): boolean {
  return error instanceof libraries().MongoServerError && error.code !== AUTHENTICATION_FAILED;
}

/** Whether no connection could be had for an operation. */
function isNoConnection(error: unknown): boolean {
  const { MongoError, MongoServerSelectionError } = libraries();
  return (
    error instanceof MongoServerSelectionError ||
    (error instanceof MongoError && error.code === AUTHENTICATION_FAILED)
  );
}

/** Whether an error is MongoDB's, the driver's or the network's, and not one of our own. */
function isFault(error: unknown): boolean {
  const { BSON, MongoError, MongoInvalidArgumentError } = libraries();
  if (error instanceof TimedOut || BSON.BSONError.isBSONError(error)) return true;
  if (error instanceof MongoError) return !(error instanceof MongoInvalidArgumentError);
  // a socket's own errors, such as EPIPE, come through the driver as they are
  return String((error as NodeJS.ErrnoException)?.code) in constants.errno;
}
