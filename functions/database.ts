import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db, MongoClient, TopologyDescription } from 'mongodb';
import { ConfigError, type MongoConfig } from './config';
import type { JsonObject } from './document';
import { later } from './later';
import { log } from './log';
import { Problem } from './problem';

export const COLLECTION = 'documents';

/** A document as MongoDB keeps it. The id is a UUIDv7, so that its order is the order of writing. */
export interface Stored {
  _id: string;
  createdAt: Date;
  data: JsonObject;
}

/** What an operation has to work with. */
export interface Attempt {
  documents: Collection<Stored>;
  db: Db;
  /** 1, and one more after each connection that was lost. */
  attempt: number;
  /** After which the server can give up a query: nobody waits for it any more. */
  maxTimeMS: number;
}

export type Reach = 'connecting' | 'reachable' | 'unreachable';

export interface Database {
  /** Starts to connect, if that hasn't begun, and goes on until it works or the client is closed. */
  connect(): void;
  /** What the driver last saw of the server. */
  reach(): Reach;
  /**
   * Runs an operation, again after a connection that was lost in between, so it must be one that
   * can be repeated.
   *
   * @param since when whoever waits for it began to, in ms as `performance.now()` tells them
   * @throws {Problem} 503 `timeoutMs` after that, or at once when the database has been away that
   *   long
   */
  run<T>(operation: (attempt: Attempt) => Promise<T>, since?: number): Promise<T>;
  /** Closes the connections. Operations under way fail. */
  close(): Promise<void>;
}

/**
 * Opens the process's one MongoDB client. Nothing connects before `connect` or `run` is called.
 *
 * @throws {ConfigError} for a URI that the driver can't use; it repeats no part of it
 */
export function openDatabase({ uri, auth, database, poolSize, timeoutMs }: MongoConfig): Database {
  const client = createClient(uri, {
    ...(auth && { auth, authSource: 'admin' }),
    appName: 'functions',
    maxPoolSize: poolSize,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // the same in a Knative pod, where the driver would poll, and anywhere else
    serverMonitoringMode: 'stream',
    heartbeatFrequencyMS: 2000,
    readPreference: 'primary',
  });
  const db = client.db(database);
  const documents = db.collection<Stored>(COLLECTION);

  let connecting: Promise<void> | undefined;
  let closed = false;
  let reach: Reach = 'connecting';
  /** In ms, as `performance.now()` tells them; never, while the database is reachable. */
  let awaySince = Number.POSITIVE_INFINITY;

  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    if (reach === 'connecting') return;
    const now: Reach = hasWritableServer(newDescription) ? 'reachable' : 'unreachable';
    if (now === reach || closed) return;
    reach = now;
    awaySince = now === 'unreachable' ? performance.now() : Number.POSITIVE_INFINITY;
    log.warn(`the database is ${now}`);
  });

  async function keepConnecting(): Promise<void> {
    awaySince = performance.now();
    let reason: string | undefined;
    for (; !closed; await sleep(500)) {
      try {
        await client.connect();
        reach = 'reachable';
        awaySince = Number.POSITIVE_INFINITY;
        log.info('the database is reachable');
        return;
      } catch (error) {
        const { message } = error as Error;
        if (!closed && message !== reason) {
          log.warn({ reason: message }, 'the database can not be reached yet');
        }
        reason = message;
      }
    }
  }

  function connect(): Promise<void> {
    connecting ??= keepConnecting();
    return connecting;
  }

  async function runUntil<T>(
    isTooLate: () => boolean,
    operation: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    await connect();
    for (let attempt = 1; ; attempt++) {
      try {
        return await operation({ db, documents, attempt, maxTimeMS: timeoutMs });
      } catch (error) {
        if (!isOutage(error)) throw error;
        await sleep(50);
        if (isTooLate()) throw unavailable(error);
      }
    }
  }

  return {
    connect: () => void connect(),
    reach: () => reach,
    async run(operation, since = performance.now()) {
      const now = performance.now();
      const left = timeoutMs - (now - since);
      if (now - awaySince > timeoutMs || left <= 0) throw unavailable();
      let isTooLate = false;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isTooLate = true;
          reject(unavailable());
        }, left);
      });
      try {
        return await Promise.race([runUntil(() => isTooLate, operation), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      closed = true;
      await client.close();
    },
  };
}

function createClient(...args: ConstructorParameters<typeof MongoClient>): MongoClient {
  try {
    return new (later().MongoClient)(...args);
  } catch {
    // the driver's own message can repeat the URI, and so the password
    throw new ConfigError([
      "MONGODB_URI, or MONGO_HOST: the driver can't use this; a URI looks like" +
        ' mongodb://user:password@host:27017/database?authSource=admin, with reserved characters' +
        ' in the user and the password percent-encoded',
    ]);
  }
}

function hasWritableServer({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some((server) => server.isWritable);
}

/** Codes by which a server says that it, or this connection to it, is of no use now. */
const outageCodes = new Set<unknown>([
  6, // HostUnreachable
  7, // HostNotFound
  18, // AuthenticationFailed: credentials that are being changed
  50, // MaxTimeMSExpired
  64, // WriteConcernTimeout
  89, // NetworkTimeout
  91, // ShutdownInProgress
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  9001, // SocketException
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

/** Whether an error means that the database, or the way to it, is away. */
export function isOutage(error: unknown): boolean {
  const { MongoError, MongoInvalidArgumentError, MongoServerError } = later();
  if (error instanceof MongoServerError) return outageCodes.has(error.code);
  if (error instanceof MongoError) return !(error instanceof MongoInvalidArgumentError);
  // a socket's own errors, such as EPIPE, come through the driver as they are
  return String((error as NodeJS.ErrnoException).code) in constants.errno;
}

function unavailable(cause?: unknown): Problem {
  return new Problem('database-unavailable', 'The database does not answer. Try again.', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}
