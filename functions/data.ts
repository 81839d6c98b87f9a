import * as z from 'zod/mini';
import { readJson } from './body';
import type { Database } from './database';
import { checkDocument } from './document';
import { findDocument, insertDocument, listDocuments } from './documents';
import { Problem } from './problem';
import { noParameters } from './query';
import { sendJson } from './respond';
import { operation, type Resource } from './router';
import { wholeNumber } from './whole-number';

const page = z.strictObject({
  limit: z._default(wholeNumber(1, 200), 50),
  cursor: z.optional(z.uuidv7('must be the "next" of an earlier page')),
});

/**
 * The collection of documents and its members, below a path.
 *
 * @param mount where the collection is, such as `/data`, or `''` for the root
 * @param service what the handlers need, asked for on the first request that needs it
 */
export function dataResources(
  mount: string,
  service: { database(): Database; bodyLimitBytes(): number },
): Record<string, Resource> {
  return {
    [mount || '/']: {
      GET: operation(page, async ({ res, query: { limit, cursor } }) => {
        sendJson(res, 200, await listDocuments(service.database(), limit, cursor?.toLowerCase()));
      }),
      POST: operation(noParameters, async ({ req, res }) => {
        const data = await readJson(req, service.bodyLimitBytes());
        checkDocument(data);
        const item = await insertDocument(service.database(), data);
        sendJson(res, 201, item, { Location: `${mount}/${item.id}` });
      }),
    },
    [`${mount}/:id`]: {
      GET: operation(noParameters, async ({ res, params }) => {
        const id = z.uuid().safeParse(params.id?.toLowerCase()).data;
        const item = id && (await findDocument(service.database(), id));
        if (!item) throw new Problem('not-found', 'There is no document with this id.');
        sendJson(res, 200, item);
      }),
    },
  };
}
