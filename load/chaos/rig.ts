import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDatabase } from '../../tools/database/embedded-database';
import { type FaultyProxy, startProxy } from '../../tools/network/faulty-proxy';
import { identify, runs } from '../../tools/programs/processes';
import type { Target } from './client';
import { type Replica, startReplica } from './replica';

/** The service on this machine: replicas, a proxy behind them, and the database behind that. */
export interface Rig {
  proxy: FaultyProxy;
  /** The processes that run now. */
  replicas: Replica[];
  /** Theirs, kept up to date. */
  targets: Target[];
  /** All processes that there have been. */
  everyReplica: Replica[];
  /** Signals the database itself. */
  signal(name: NodeJS.Signals): void;
  /** Ends the database: in order, or by SIGKILL. */
  stopDatabase(how: 'in order' | 'by force'): Promise<void>;
  /** Starts the database where it was, and leads the proxy there. */
  startDatabase(): Promise<void>;
  /** Where the database is, without the proxy. */
  uri(): string;
  /**
   * Puts a new process in the place of a replica that ended, or is about to.
   *
   * @param moved when clients go to the new one, once it listens
   */
  replace(replica: number, moved?: Promise<unknown>): Promise<void>;
  /** Ends all, by force. */
  close(): Promise<void>;
}

/** The name of the database that the replicas use. */
export const databaseName = 'chaos';

/** @param count of replicas */
export async function startRig(count: number, say: (line: string) => void): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'chaos-'));
  const start = () => startDatabase({ directory, say });
  let database = await start();
  let itself = identify(database.pid);
  const signal = (name: NodeJS.Signals) => {
    if (runs(itself)) process.kill(itself.pid, name);
  };
  // one that is paused would not hear of a gentler end
  const clean = () => {
    signal('SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on('exit', clean);

  const proxy = await startProxy(database.port);
  const through = database.uri.replace(/:\d+\/\?/, `:${proxy.port}/?`);
  const env = { MONGODB_URI: through, MONGO_DATABASE: databaseName, LOG_REQUESTS: 'false' };
  const name = (number: number) => `replica ${number + 1}`;
  const replicas = await Promise.all(
    Array.from({ length: count }, (_, number) => startReplica(name(number), env)),
  );

  const rig: Rig = {
    proxy,
    replicas,
    targets: replicas.map(({ target }) => target),
    everyReplica: [...replicas],
    signal,
    async stopDatabase(how) {
      if (how === 'by force') signal('SIGKILL');
      await database.stop();
    },
    async startDatabase() {
      database = await start();
      itself = identify(database.pid);
      proxy.target = database.port;
    },
    uri: () => database.uri,
    async replace(number, moved) {
      const next = await startReplica(name(number), env);
      rig.everyReplica.push(next);
      await moved;
      replicas[number] = next;
      rig.targets[number] = next.target;
    },
    async close() {
      proxy.close();
      for (const { child, exited } of rig.everyReplica) {
        child.kill('SIGKILL');
        await exited;
      }
      await rig.stopDatabase('by force');
      process.off('exit', clean);
      clean();
    },
  };
  return rig;
}
