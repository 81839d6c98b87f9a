import type { MongoClient } from 'mongodb';
import { dateOf, newId } from '../../functions/documents/id';
import type { Item } from './routes';
import { posted } from './routes';

/** The collection that one contender writes and reads. */
export interface Store {
  database: string;
  /** Names the database and asks for durable writes. */
  uri: string;
  /** Makes it hold the 100 documents again and nothing else. */
  reset(): Promise<void>;
  /** How many documents were written since. */
  written(): Promise<number>;
  drop(): Promise<void>;
}

const stored = Array.from({ length: 100 }, (_, n) => {
  const _id = newId();
  return { _id, createdAt: dateOf(_id), data: { ...posted, total: n } };
});

/** What `GET /data` answers while nothing was written. */
export const page: { items: Item[]; next: string } = {
  items: stored
    .slice(50)
    .reverse()
    .map(({ _id, createdAt, data }) => ({ id: _id, createdAt: createdAt.toISOString(), data })),
  next: stored[50]?._id ?? '',
};

export function openStore(client: MongoClient, uri: string, database: string): Store {
  const db = client.db(database);
  const documents = db.collection<(typeof stored)[number]>('documents');
  const [, server, query] = /^([^/]+\/\/[^/?]+)[^?]*\??(.*)$/.exec(uri) ?? [];
  return {
    database,
    uri: `${server}/${database}?${[query, 'w=majority', 'journal=true'].filter(Boolean).join('&')}`,
    async reset() {
      await documents.drop();
      await documents.insertMany(stored);
    },
    written: async () => (await documents.estimatedDocumentCount()) - stored.length,
    drop: async () => void (await db.dropDatabase()),
  };
}
