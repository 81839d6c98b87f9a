import { noParameters } from './http/query';
import { sendBody } from './http/respond';
import { operation, type Resource } from './http/router';
import { once } from './runtime/once';

/**
 * The OpenAPI document of all functions, which `npm run openapi` makes. It is loaded only when it is
 * asked for.
 *
 * @param isOpen whether the operations need no token
 */
export const openapiResources = (isOpen: boolean): Record<string, Resource> => {
  const openapiJson = once(() => {
    const document = require('./openapi.json');
    // a buffer is shared by all responses that wait for their clients, a string is copied into each
    return Buffer.from(JSON.stringify(document, isOpen ? undefined : withRequiredToken));
  });
  return {
    '/openapi.json': {
      GET: operation(
        noParameters,
        ({ res }) => sendBody(res, 200, 'application/json', openapiJson()),
        (z) => ({
          summary: 'The OpenAPI document',
          responses: {
            200: {
              description: 'The OpenAPI document',
              schema: z.looseObject({ openapi: z.literal('3.1.1') }),
              example: { openapi: '3.1.1' },
            },
          },
        }),
      ),
    },
  };
};

/** In the document a token is optional: `security` also lists {}, which stands for no token. */
function withRequiredToken(key: string, value: unknown): unknown {
  if (key !== 'security' || !Array.isArray(value)) return value;
  return value.filter((accepted) => Object.keys(accepted).length > 0);
}
