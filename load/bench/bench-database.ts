import type { MongoClient } from 'mongodb';
import { dateOf, newId } from '../../functions/documents/id';
import { exampleDocument } from '../common/example-document';

/** The database that one contender writes and reads. */
export interface BenchDatabase {
  /** Its name. */
  database: string;
  /** Names the database, and asks for durable writes. */
  uri: string;
  /** Replaces what is stored by the 100 initial documents. */
  reset(): Promise<void>;
  /** How many documents were written since the last reset. */
  countWrites(): Promise<number>;
  drop(): Promise<void>;
}

/** A document in a response. */
export interface Item {
  id: string;
  createdAt: string;
  data: unknown;
}

const initial = Array.from({ length: 100 }, (_, n) => {
  const _id = newId();
  return { _id, createdAt: dateOf(_id), data: { ...exampleDocument, total: n } };
});

/** What `GET /data` returns after a reset. */
export const page: { items: Item[]; next: string } = {
  items: initial
    .slice(50)
    .reverse()
    .map(({ _id, createdAt, data }) => ({ id: _id, createdAt: createdAt.toISOString(), data })),
  next: initial[50]?._id ?? '',
};

export function openBenchDatabase(
  client: MongoClient,
  uri: string,
  database: string,
): BenchDatabase {
  const db = client.db(database);
  const documents = db.collection<(typeof initial)[number]>('documents');
  const [, server, query] = /^([^/]+\/\/[^/?]+)[^?]*\??(.*)$/.exec(uri) ?? [];
  return {
    database,
    uri: `${server}/${database}?${[query, 'w=majority', 'journal=true'].filter(Boolean).join('&')}`,
    async reset() {
      await documents.drop();
      await documents.insertMany(initial);
    },
    countWrites: async () => (await documents.estimatedDocumentCount()) - initial.length,
    drop: async () => void (await db.dropDatabase()),
  };
}
