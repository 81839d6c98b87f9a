import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { ConfigError, Overloaded, Unavailable } from '../runtime/errors';
import { type ConnectionState, createReconnectingClient, type Session } from './client';
import { attemptEnded, attemptRepeated, operationEnded, operationStarted } from './events';
import { libraries } from './lazy-libraries';
import { createHistory, type OperationHistory } from './operation-history';
import { afterPoll, createTimeLimit, TimedOut } from './time-limit';
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

const heartbeatMs = 2000;

/**
 * Opens the process's access to MongoDB. It connects when `connect`, `ready` or `run` is called.
 *
 * @param prepare is called soon after each new session, and not awaited; it may fail
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

  const histories = new Map<string, OperationHistory>();

  function historyOf(name: string): OperationHistory {
    const history = histories.get(name) ?? createHistory(timeoutMs);
    histories.set(name, history);
    return history;
  }

  /** @param cause the error of the previous attempt, if there was one */
  async function sessionBefore(deadline: number, cause?: unknown): Promise<Session> {
    const now = performance.now();
    if (now >= deadline && cause === undefined && client.state() === 'reachable') {
      throw new Overloaded('earlier requests used up the time limit', 'time');
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
    return new Unavailable(client.lastError() ?? cause ?? client.serverError());
  }

  /**
   * Runs one attempt. Without a reply, it continues until its session is replaced by one that works,
   * so that a slow or frozen server does not get the same operation twice. If other operations of the
   * session get replies, the attempt's own connection may be dead: then it is aborted after a while.
   */
  async function tryOnce<T>(
    name: string,
    history: OperationHistory,
    session: Session,
    deadline: number,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const begin = performance.now();
    const limit = createTimeLimit(deadline - begin);
    const suspectAfterMs = history.suspectAfterMs();
    const cancelStuckCheck = afterPoll(4 * suspectAfterMs, () => {
      if (session.repliedAt > begin) limit.abort();
    });
    const cancelSuspicion = afterPoll(suspectAfterMs, () => {
      if (session.repliedAt < begin) client.suspect(session);
    });
    const cancelRetirement = afterPoll(history.usualMs(), () => {
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
      client.succeeded(session);
      const durationMs = session.repliedAt - begin;
      history.succeeded(durationMs);
      attemptEnded.publish({ name, durationMs });
      return result;
    } catch (error) {
      attemptEnded.publish({ name, durationMs: performance.now() - begin, error });
      throw error;
    } finally {
      limit.cancel();
      cancelSuspicion();
      cancelRetirement();
      cancelStuckCheck();
      session.retired.removeEventListener('abort', limit.abort);
    }
  }

  /** Records why an attempt failed. @throws if there is to be no further attempt */
  function recordFailure(history: OperationHistory, session: Session, error: unknown): void {
    if (isErrorReply(error)) {
      session.repliedAt = performance.now();
      if (history.failed() > timeoutMs) throw unavailable(error);
    } else if (!isRetryable(error)) {
      session.repliedAt = performance.now();
      throw error;
    } else if (error instanceof TimedOut) {
      history.timedOut();
    } else if (isConnectionFailure(error)) {
      client.suspect(session);
    }
  }

  async function runUntil<T>(
    deadline: number,
    name: string,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const history = historyOf(name);
    for (let tries = 1, cause: unknown; ; tries++) {
      const session = await sessionBefore(deadline, cause);
      try {
        return await tryOnce(name, history, session, deadline, operation);
      } catch (error) {
        recordFailure(history, session, error);
        attemptRepeated.publish(name);
        cause = error;
        const left = deadline - performance.now();
        await sleep(Math.max(0, Math.min(pauseMs(tries, error), left)));
      }
    }
  }

  return {
    connect: () => void client.session(),
    state: client.state,
    isMonitoring: client.isMonitoring,
    async ready(waitingSince) {
      await sessionBefore(waitingSince + timeoutMs);
    },
    run(name, operation, waitingSince = performance.now()) {
      const runOperation = () => runUntil(waitingSince + timeoutMs, name, operation);
      return operationStarted.hasSubscribers ? observe(name, runOperation) : runOperation();
    },
    close: client.close,
  };
}

/** Runs an operation, and reports its beginning and its end. */
function observe<T>(name: string, run: () => Promise<T>): Promise<T> {
  return operationStarted.runStores({ name }, async () => {
    let failure: unknown;
    try {
      return await run();
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      operationEnded.publish(failure);
    }
  });
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
