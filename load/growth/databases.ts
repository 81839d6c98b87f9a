import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { dateOf, newId } from '../../functions/documents/id';
import { startDatabase } from '../../tools/database/embedded-database';
import { exampleDocument } from '../common/example-document';
import { cpuSeconds } from '../common/process-usage';
import { listeningProcess } from './listening-process';

/** A database server to measure on. */
export interface GrowthDatabase {
  name: string;
  uri: string;
  /** Of the one database that is used there, and dropped in the end. */
  databaseName: string;
  /** What the server says that it is. */
  version: string;
  /** CPU time so far, in seconds; null when the server runs on another machine. */
  cpuSeconds(): number | null;
  /** Replaces what is stored by so many documents. */
  reset(documents: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to the databases to measure on: the embedded one, which it starts, and those in a list.
 *
 * @param list `NAME=mongodb://…`, separated by spaces
 * @throws Error when an entry has another form, or a server can't be reached
 */
export async function openDatabases(list: string): Promise<GrowthDatabase[]> {
  const others = list.split(/\s+/).filter(Boolean).map(parseEntry);
  const directory = mkdtempSync(join(tmpdir(), 'database-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { uri, kind, stop } = await startDatabase({ directory, report: console.error });
  const embedded = { name: kind === 'mongod' ? 'MongoDB' : 'FerretDB', uri, stop };
  return Promise.all([embedded, ...others].map(open));
}

/** Where a database is, and how to stop it if it was started here. */
type Server = Pick<GrowthDatabase, 'name' | 'uri'> & { stop?(): Promise<void> };

/** @throws Error that says which form an entry has */
function parseEntry(entry: string): Pick<GrowthDatabase, 'name' | 'uri'> {
  const [, name, uri] = /^([^=]+)=(mongodb(?:\+srv)?:\/\/.+)$/.exec(entry) ?? [];
  if (!name || !uri) throw new Error(`GROWTH_DATABASES: ${entry} is not NAME=mongodb://…`);
  return { name, uri };
}

async function open({ name, uri, stop }: Server): Promise<GrowthDatabase> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  const info = await client.db('admin').command({ buildInfo: 1 });
  const databaseName = `growth-${process.pid}`;
  const db = client.db(databaseName);
  const [{ host, port } = { host: undefined, port: 0 }] = client.options.hosts;
  const isLocal = host === '127.0.0.1' || host === 'localhost';
  const pid = isLocal ? listeningProcess(port ?? 27_017) : undefined;
  return {
    name,
    uri,
    databaseName,
    version: info.ferretdbVersion ?? (name === 'MongoDB' ? '' : 'as MongoDB ') + info.version,
    cpuSeconds: () => (pid === undefined ? null : cpuSeconds(pid)),
    async reset(documents) {
      await db.dropDatabase();
      const collection = db.collection<{ _id: string; createdAt: Date; data: object }>('documents');
      for (let n = 0; n < documents; n += 1000) {
        const count = Math.min(1000, documents - n);
        await collection.insertMany(Array.from({ length: count }, newDocument));
      }
    },
    async close() {
      await db.dropDatabase();
      await client.close();
      await stop?.();
    },
  };
}

function newDocument() {
  const _id = newId();
  return { _id, createdAt: dateOf(_id), data: exampleDocument };
}
