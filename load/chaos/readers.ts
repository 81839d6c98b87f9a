import { MongoClient } from 'mongodb';
import { send, type Target } from './client';
import type { Found, Reader } from './verdict';

/** Reads the collection itself, from its first record to its last. */
export function fromDatabase(uri: string, database: string): Reader {
  return {
    inOrderOfStorage: true,
    async *read() {
      const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
      try {
        const documents = client
          .db(database)
          .collection<{ _id: string; data: Found['data'] }>('documents');
        const cursor = documents.find();
        for await (const { _id, data } of cursor) yield { id: _id, data };
      } finally {
        await client.close();
      }
    },
  };
}

/** Reads the pages of `GET /data`, for when the database itself can't be reached. */
export function fromService(target: Target): Reader {
  return {
    inOrderOfStorage: false,
    async *read() {
      for (let cursor = ''; ; ) {
        const { items, next } = await page(target, cursor && `&cursor=${cursor}`);
        yield* items;
        if (!next) return;
        cursor = next;
      }
    },
  };
}

/** @throws Error when ten requests for it have failed */
async function page(
  target: Target,
  more: string,
): Promise<{ items: Found[]; next: string | null }> {
  for (let tries = 1; ; tries++) {
    const { status, text, code } = await send(target, { path: `/data?limit=200${more}` });
    if (status === 200) return JSON.parse(text);
    if (tries === 10) throw new Error(`${target.name} does not list documents: ${status ?? code}`);
  }
}
