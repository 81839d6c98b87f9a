import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDatabase } from '../../tools/database/embedded-database';
import { type FaultyProxy, startProxy } from '../../tools/network/faulty-proxy';
import { identify, runs } from '../../tools/programs/processes';
import type { Target } from './http-client';
import { type Replica, startReplica } from './replica';

/** The system under test, on this machine: replicas, a proxy, and the database behind it. */
export interface Rig {
  proxy: FaultyProxy;
  /** The current process of each replica. */
  replicas: Replica[];
  /** Their targets, kept up to date. */
  targets: Target[];
  /** All processes so far, including those that were replaced. */
  allReplicas: Replica[];
  /** Sends a signal to the database process. */
  signalDatabase(name: NodeJS.Signals): void;
  stopDatabase(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts the database again, with its data, and points the proxy to it. */
  startDatabase(): Promise<void>;
  /** The URI of the database, bypassing the proxy. */
  databaseUri(): string;
  /**
   * Replaces a replica that exited, or is about to, by a new process.
   *
   * @param clientsMove when clients use the new process; as soon as it listens when undefined
   */
  replace(replica: number, clientsMove?: Promise<unknown>): Promise<void>;
  /** Kills everything. */
  close(): Promise<void>;
}

/** The name of the database that the replicas use. */
export const databaseName = 'chaos';

/** @param count the number of replicas */
export async function startRig(count: number, log: (line: string) => void): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-'));
  const start = () => startDatabase({ directory, report: log });
  let database = await start();
  let databaseProcess = identify(database.pid);
  const signalDatabase = (name: NodeJS.Signals) => {
    if (runs(databaseProcess)) process.kill(databaseProcess.pid, name);
  };
  // SIGKILL, as a frozen process does not handle SIGTERM
  const clean = () => {
    signalDatabase('SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on('exit', clean);

  const proxy = await startProxy(database.port);
  const uriOfProxy = database.uri.replace(/:\d+\/\?/, `:${proxy.port}/?`);
  const env = { MONGODB_URI: uriOfProxy, MONGO_DATABASE: databaseName, LOG_REQUESTS: 'false' };
  const nameOf = (index: number) => `replica ${index + 1}`;
  const replicas = await Promise.all(
    Array.from({ length: count }, (_, index) => startReplica(nameOf(index), env)),
  );

  const rig: Rig = {
    proxy,
    replicas,
    targets: replicas.map(({ target }) => target),
    allReplicas: [...replicas],
    signalDatabase,
    async stopDatabase(signal) {
      if (signal === 'SIGKILL') signalDatabase(signal);
      await database.stop();
    },
    async startDatabase() {
      database = await start();
      databaseProcess = identify(database.pid);
      proxy.target = database.port;
    },
    databaseUri: () => database.uri,
    async replace(index, clientsMove) {
      const next = await startReplica(nameOf(index), env);
      rig.allReplicas.push(next);
      await clientsMove;
      replicas[index] = next;
      rig.targets[index] = next.target;
    },
    async close() {
      proxy.close();
      for (const { child, exited } of rig.allReplicas) {
        child.kill('SIGKILL');
        await exited;
      }
      await rig.stopDatabase('SIGKILL');
      process.off('exit', clean);
      clean();
    },
  };
  return rig;
}
