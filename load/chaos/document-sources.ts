import { MongoClient } from 'mongodb';
import type { DocumentSource, StoredDocument } from './consistency';
import { sendRequest, type Target } from './http-client';

/** The collection itself, in insertion order. */
export function databaseSource(uri: string, database: string): DocumentSource {
  return {
    inInsertionOrder: true,
    async *read() {
      const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
      try {
        const documents = client
          .db(database)
          .collection<{ _id: string; data: StoredDocument['data'] }>('documents');
        const cursor = documents.find();
        for await (const { _id, data } of cursor) yield { id: _id, data };
      } finally {
        await client.close();
      }
    },
  };
}

/** The pages of `GET /data`, for where the database can't be reached from here. */
export function serviceSource(target: Target): DocumentSource {
  return {
    inInsertionOrder: false,
    async *read() {
      for (let cursor = ''; ; ) {
        const { items, next } = await readPage(target, cursor && `&cursor=${cursor}`);
        yield* items;
        if (!next) return;
        cursor = next;
      }
    },
  };
}

/** @throws Error when ten requests in a row failed */
async function readPage(
  target: Target,
  query: string,
): Promise<{ items: StoredDocument[]; next: string | null }> {
  for (let tries = 1; ; tries++) {
    const { status, text, code } = await sendRequest(target, { path: `/data?limit=200${query}` });
    if (status === 200) return JSON.parse(text);
    if (tries === 10) throw new Error(`${target.name} did not list documents: ${status ?? code}`);
  }
}
