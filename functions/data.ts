import type { ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import type { Context } from './context';
import { checkDocument, type Document, toDocument } from './documents/document';
import { newId } from './documents/id';
import { idempotencyKeyPattern, parseIdempotencyKey } from './documents/idempotency-key';
import { type PendingDocument, toPendingDocument } from './documents/pending-document';
import { openStore, type Store } from './documents/store';
import { parseJson } from './http/body';
import { bodyProblems, databaseProblems, type Z } from './http/description';
import { Problem, toProblem } from './http/problem';
import { noParameters } from './http/query';
import { REQUEST_MEMORY, withBody } from './http/request-body';
import { type Body, sendBody, whenClosed } from './http/respond';
import { type Exchange, operation, type Resource } from './http/router';
import { Overloaded } from './runtime/errors';
import type { Reservation } from './runtime/memory';
import { once } from './runtime/once';
import { wholeNumber } from './runtime/whole-number';

const pageParameters = z.strictObject({
  limit: z._default(wholeNumber(1, 200), 50),
  cursor: z.optional(z.uuidv7('must be the "next" of an earlier page')),
});

/**
 * The collection of documents and its members.
 *
 * @param mount the path of the collection, such as `/data`, or `''` for the root
 * @param context created on the first request that needs it
 */
export function dataResources(mount: string, context: () => Context): Record<string, Resource> {
  const store = once(() => {
    const { database, memory, timeoutMs, bodyLimitBytes } = context();
    return openStore(database, memory, timeoutMs, bodyLimitBytes);
  });
  return {
    [mount || '/']: {
      GET: operation(
        pageParameters,
        async ({ res, query: { limit, cursor } }) => {
          const { value, release } = await store().list(limit, cursor?.toLowerCase());
          whenClosed(res, release);
          sendReserved(res, 200, value.body, value.reservation);
        },
        (z) => ({
          summary: 'Lists the documents, newest first',
          parameters: {
            limit: { description: 'The most documents of a page. It ends early at 8 MiB.' },
            cursor: { description: 'The `next` of the page before.' },
          },
          responses: {
            200: {
              description: 'A page of documents',
              schema: z.object({
                items: z.array(storedDocument(z)),
                next: z
                  .uuidv7()
                  .nullable()
                  .describe('The `cursor` of the next page, if there is one'),
              }),
              example: { items: [exampleDocument], next: null },
            },
          },
          problems: databaseProblems,
        }),
      ),
      POST: operation(
        noParameters,
        (exchange) => postDocument(exchange, mount, context(), store()),
        (z) => ({
          summary: 'Stores a document',
          description: 'Answers when the write is durable.',
          parameters: {
            'Idempotency-Key': {
              description:
                'A request that is repeated with the same key and document is stored once. The key is' +
                ' a string of RFC 8941 in double quotes; one such as a UUID needs no quotes.',
              schema: z.string().regex(new RegExp(idempotencyKeyPattern)),
              example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
            },
          },
          body: { schema: jsonObject(z), example: exampleDocument.data },
          responses: {
            201: {
              description: 'The document is stored',
              schema: storedDocument(z),
              example: exampleDocument,
              headers: { Location: 'The path of the document' },
              links: {
                read: { operationId: 'getDataById', parameters: { id: '$response.body#/id' } },
              },
            },
          },
          problems: [
            ...bodyProblems,
            ...databaseProblems,
            'invalid-idempotency-key',
            'invalid-document',
            'nesting-too-deep',
            'idempotency-key-reused',
          ],
        }),
      ),
    },
    [`${mount}/:id`]: {
      GET: operation(
        noParameters,
        async ({ res, params }) => {
          const id = z.uuid().safeParse(params.id?.toLowerCase()).data;
          const found = id === undefined ? undefined : await store().find(id);
          if (!found?.value) throw new Problem('not-found', 'There is no document with this id.');
          whenClosed(res, found.release);
          sendReserved(res, 200, found.value.body, found.value.reservation);
        },
        (z) => ({
          summary: 'Reads a document',
          parameters: {
            id: {
              description: 'The id of the document, in any letter case.',
              schema: z.uuid(),
              example: exampleDocument.id,
            },
          },
          responses: {
            200: {
              description: 'The document',
              schema: storedDocument(z),
              example: exampleDocument,
            },
          },
          problems: ['not-found', ...databaseProblems],
        }),
      ),
    },
  };
}

const exampleDocument = {
  id: '01a21512-e9e3-7000-bf39-377ad35a80ed',
  createdAt: '2026-11-25T23:38:10.787Z',
  data: { test: 'persistence' },
};

const storedDocument = (z: Z) =>
  z
    .object({
      id: z.uuidv7(),
      createdAt: z.iso.datetime().describe('The timestamp in the id'),
      data: jsonObject(z),
    })
    .meta({ id: 'StoredDocument' });

const jsonObject = (z: Z) =>
  z.record(z.string(), z.unknown()).meta({
    id: 'JsonObject',
    description:
      'Any JSON object that nests at most 64 levels deep. Not accepted are the name `_bsontype`, NUL in' +
      ' a name, half of a surrogate pair, and a number too large for a double.',
  });

async function postDocument(
  exchange: Exchange,
  mount: string,
  context: Context,
  store: Store,
): Promise<void> {
  const { req, res } = exchange;
  let pending: PendingDocument | undefined;
  try {
    const key = parseIdempotencyKey(req.headers['idempotency-key']);
    await withBody(exchange, context, async (body, { reservation, waitingSince }) => {
      pending = toPendingDocument(parseDocument(body, reservation), key);
      await store.insert(pending, waitingSince);
      const { id, createdAt, document } = pending;
      const head = `{"id":${JSON.stringify(id)},"createdAt":"${createdAt.toISOString()}","data":`;
      const { json } = document;
      // a short body is sent fastest in one piece; a long one is not copied
      const created = typeof json === 'string' ? `${head}${json}}` : [head, json, '}'];
      sendReserved(res, 201, created, reservation, { Location: `${mount}/${id}` });
    });
  } catch (error) {
    throw toProblem(error, {
      id: pending?.id ?? newId(),
      sent: (pending?.sends ?? 0) > 0,
      keyed: pending?.key !== undefined,
    });
  }
}

function parseDocument(body: Buffer, reservation: Reservation): Document {
  const { value, elements } = checkDocument(parseJson(body));
  const document = toDocument(value, elements);
  if (!reservation.resize(document.json.length + REQUEST_MEMORY)) {
    throw new Overloaded('no memory for a document larger than its body');
  }
  return document;
}

/** Sends a body, and gives up if the client is slow to take it while others wait for memory. */
function sendReserved(
  res: ServerResponse,
  status: number,
  body: Body,
  reservation: Reservation,
  headers?: Record<string, string>,
): void {
  sendBody(res, status, 'application/json', body, headers, () =>
    reservation.trackTransfer(() => res.destroy()),
  );
}
