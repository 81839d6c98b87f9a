import { noParameters } from './http/query';
import { sendBody } from './http/respond';
import { operation, type Resource } from './http/router';
import { once } from './runtime/once';

/** The OpenAPI document, which `npm run openapi` makes. Required only when it is asked for. */
const openapiJson = once(() => JSON.stringify(require('./openapi.json')));

/** The OpenAPI document of all functions. */
export const openapiResources: Record<string, Resource> = {
  '/openapi.json': {
    GET: operation(
      noParameters,
      ({ res }) => sendBody(res, 200, 'application/json', openapiJson()),
      (z) => ({
        summary: 'This document',
        responses: {
          200: {
            description: 'This document',
            schema: z.looseObject({ openapi: z.literal('3.1.1') }),
            example: { openapi: '3.1.1' },
          },
        },
      }),
    ),
  },
};
