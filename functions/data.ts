import * as z from 'zod/mini';
import { readJson } from './body';
import { checkDocument } from './document';
import { Problem } from './problem';
import { noParameters } from './query';
import { sendJson } from './respond';
import { operation, type Resource } from './router';
import type { Store } from './store';
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
  service: { store(): Store; bodyLimitBytes(): number },
): Record<string, Resource> {
  return {
    [mount || '/']: {
      GET: operation(page, async ({ res, query: { limit, cursor } }) => {
        sendJson(res, 200, await service.store().list(limit, cursor?.toLowerCase()));
      }),
      POST: operation(noParameters, async ({ req, res }) => {
        const { value: posted, size } = await readJson(req, service.bodyLimitBytes());
        const { value } = checkDocument(posted);
        const item = await service.store().insert(value, size);
        sendJson(res, 201, item, { Location: `${mount}/${item.id}` });
      }),
    },
    [`${mount}/:id`]: {
      GET: operation(noParameters, async ({ res, params }) => {
        const id = z.uuid().safeParse(params.id?.toLowerCase()).data;
        const item = id && (await service.store().find(id));
        if (!item) throw new Problem('not-found', 'There is no document with this id.');
        sendJson(res, 200, item);
      }),
    },
  };
}
