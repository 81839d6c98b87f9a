import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { appResources } from '../../functions/app';
import { parseConfig } from '../../functions/config';
import {
  accessProblems,
  type Content,
  type Description,
  type OwnProblem,
} from '../../functions/http/description';
import { type ProblemType, statuses } from '../../functions/http/problem';
import { problemDescriptions } from '../../functions/http/problem-descriptions';
import { type Operation, pathTemplate } from '../../functions/http/router';
import { version } from '../../package.json';

type Json = Record<string, unknown>;

/** Problems of every operation: those of the query and of the head of a request. */
const everywhere: ProblemType[] = [
  'invalid-query',
  'malformed-request',
  'headers-too-large',
  'expectation-failed',
  'unsupported-transfer-coding',
];

const about = `Time, and JSON documents that are stored in MongoDB.

HEAD works wherever GET does, and OPTIONS everywhere. Another method gets a \`method-not-allowed\`, \
another path a \`not-found\`. A request that can't be read gets a \`malformed-request\`, a \
\`headers-too-large\` or a \`request-timeout\`. Errors have the form of RFC 9457; their \`type\` is \
stable, and their \`detail\` says what to do.`;

const headers: Record<string, string> = {
  'Cache-Control': 'Always `no-store`',
  'X-Content-Type-Options': 'Always `nosniff`',
  'X-Request-Id': 'The id of the request, also in the log',
  'WWW-Authenticate': 'The scheme `Bearer`, and what is wrong with the token (RFC 6750)',
  Allow: 'The methods of the path',
  'Accept-Encoding': 'The content codings that are accepted',
  'Accept-Post': 'The media types that are accepted',
  'Retry-After':
    'In how many seconds to repeat the request. It is left out where that could store a document twice.',
};

const common = ['Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'];

/** The OpenAPI document of the service, made of its routes, their schemas and their descriptions. */
export function openapiDocument(): Json {
  const schemas: Json = {};
  const examples: Json = {};
  const responses: Json = {};
  const problems = new Map<string, OwnProblem>();
  for (const [type, description] of Object.entries(problemDescriptions)) {
    addProblem({ type, status: statuses[type as ProblemType], ...description });
  }
  const paths: Record<string, Json> = {};
  for (const [path, resource] of Object.entries(resources())) {
    paths[pathTemplate(path)] = Object.fromEntries(
      Object.entries(resource).map(([method, operation]) => [
        method.toLowerCase(),
        describe(method, pathTemplate(path), operation),
      ]),
    );
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'functions-on-knative',
      version,
      description: about,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [],
    paths,
    components: {
      schemas,
      responses,
      examples,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key, or a JWT of the issuer that the service is configured for, with the scope of' +
            ' the operation. `GET /` says whether the service wants one.',
        },
      },
      headers: mapValues(headers, (description, name) => ({
        description,
        ...(common.includes(name) && { required: true }),
        schema: name === 'Retry-After' ? { type: 'integer' } : { type: 'string' },
      })),
    },
  };

  function describe(method: string, path: string, { query, describe, scope }: Operation): Json {
    const description: Description = describe?.(z) ?? {
      summary: '',
      responses: {},
    };
    const { summary, parameters = {}, body } = description;
    return {
      operationId: operationId(method, path),
      ...(summary && { summary }),
      ...(description.description && { description: description.description }),
      ...(scope && { security: [{}, { token: [scope] }] }),
      parameters: describeParameters(path, query, parameters),
      ...(body && { requestBody: { required: true, content: describeContent(body) } }),
      responses: {
        ...mapValues(description.responses, ({ description, schema, example, headers, links }) => ({
          description,
          headers: { ...headerRefs(common), ...mapValues(headers ?? {}, describeHeader) },
          ...(schema && { content: describeContent({ schema, example }) }),
          ...(links && { links }),
        })),
        ...describeProblems([
          ...everywhere,
          ...(scope ? accessProblems : []),
          ...(description.problems ?? []),
        ]),
        ...(!describe && { default: { description: 'Not described.' } }),
      },
    };
  }

  function describeParameters(
    path: string,
    query: z.core.$ZodType,
    descriptions: NonNullable<Description['parameters']>,
  ): Json[] {
    const { properties = {}, required = [] } = z.toJSONSchema(query);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
    const names = new Set([...inPath, ...Object.keys(properties), ...Object.keys(descriptions)]);
    const described = [...names].map((name) => {
      const { description, schema, example } = descriptions[name] ?? {};
      const place = inPath.includes(name) ? 'path' : name in properties ? 'query' : 'header';
      const derived = properties[name] as Json | undefined;
      const isRequired =
        place === 'path' || (required.includes(name) && derived?.default === undefined);
      return {
        name,
        in: place,
        ...(description && { description }),
        ...(isRequired && { required: true }),
        schema: schema ? toSchema(schema) : (derived ?? { type: 'string' }),
        ...(example !== undefined && { example }),
      };
    });
    return [
      ...described,
      {
        name: 'X-Request-Id',
        in: 'header',
        description: 'An id for the request, used if it has 1 to 200 visible ASCII characters.',
        schema: { type: 'string' },
      },
    ];
  }

  /** The responses that are problems, by status. */
  function describeProblems(given: (ProblemType | OwnProblem)[]): Json {
    const types = new Set(given.map((one) => (typeof one === 'string' ? one : addProblem(one))));
    const byStatus: Record<number, OwnProblem[]> = {};
    for (const type of types) {
      const problem = problems.get(type) as OwnProblem;
      byStatus[problem.status] = [...(byStatus[problem.status] ?? []), problem];
    }
    return mapValues(byStatus, ([first, ...others]) =>
      others.length === 0
        ? { $ref: `#/components/responses/${first?.type}` }
        : problemResponse([first as OwnProblem, ...others]),
    );
  }

  /** @returns its type */
  function addProblem(problem: OwnProblem): string {
    const { type, status, when, detail, issues } = problem;
    if (problems.has(type)) return type;
    problems.set(type, problem);
    const title = STATUS_CODES[status] as string;
    const urn = `urn:problem-type:${type}`;
    const schema = z.object({
      type: z.literal(urn),
      title: z.literal(title),
      status: z.literal(status),
      detail: z.string().describe('What to do'),
      ...(issues && {
        issues: z.array(
          z.object({
            path: z.array(z.union([z.string(), z.int().min(0)])).describe('The path to the field'),
            message: z.string(),
          }),
        ),
      }),
      ...(status >= 500 && {
        id: z.uuidv7().optional().describe('The id of the document that was posted'),
      }),
    });
    toSchema(schema.meta({ id: schemaName(type), description: when }));
    examples[type] = { value: { type: urn, title, status, detail, issues } };
    responses[type] = problemResponse([problem]);
    return type;
  }

  function problemResponse(list: OwnProblem[]): Json {
    const refs = list.map(({ type }) => ({ $ref: `#/components/schemas/${schemaName(type)}` }));
    return {
      description: list.map(({ type, when }) => `- \`${type}\`: ${when}`).join('\n'),
      headers: headerRefs([...common, ...list.flatMap(({ headers = [] }) => headers)]),
      content: {
        'application/problem+json': {
          schema: refs.length === 1 ? refs[0] : { oneOf: refs },
          examples: Object.fromEntries(
            list.map(({ type }) => [type, { $ref: `#/components/examples/${type}` }]),
          ),
        },
      },
    };
  }

  function describeContent({ schema, example }: Partial<Content>): Json {
    return { 'application/json': { schema: schema && toSchema(schema), example } };
  }

  /** Converts a schema. Those that have an id, itself included, become components. */
  function toSchema(schema: z.ZodType): Json {
    const { properties, $defs = {} } = z.toJSONSchema(z.object({ schema }), {
      override({ jsonSchema }) {
        // its pattern is 300 characters long
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      },
    });
    const text = JSON.stringify({ $defs, it: properties?.schema });
    const { it, ...moved } = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/'));
    for (const [id, { id: _, ...definition }] of Object.entries<Json>(moved.$defs)) {
      schemas[id] = definition;
    }
    return it;
  }
}

/** The routes of the service, which is not started. */
function resources() {
  return appResources({
    config: parseConfig({ MONGO_HOST: 'none' }),
    lifecycle: { draining: false },
    database() {
      throw new Error('not started');
    },
  });
}

/** Such as `getDataById` for `GET /data/{id}`. */
function operationId(method: string, path: string): string {
  const words = path
    .replaceAll(/\{(\w+)\}/g, (_, name) => `by-${name}`)
    .split(/\W+/)
    .filter(Boolean);
  return method.toLowerCase() + (words.map(capitalize).join('') || 'Index');
}

/** Such as `InvalidQuery` for `invalid-query`. */
function schemaName(type: string): string {
  return type.split('-').map(capitalize).join('');
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function describeHeader(description: string): Json {
  return { description, required: true, schema: { type: 'string' } };
}

function headerRefs(names: string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function mapValues<T>(record: Record<string, T>, map: (value: T, key: string) => Json): Json {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
