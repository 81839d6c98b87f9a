import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { HttpResponse } from './testing';

interface ResponseObject {
  headers: Record<string, { required?: boolean; schema: { type: string } }>;
  content?: Record<string, { schema: object; examples?: Record<string, { value: object }> }>;
}

interface Document {
  paths: Record<
    string,
    Record<string, { responses: Record<string, ResponseObject>; security?: object[] }>
  >;
  components: { schemas: object; responses: Record<string, ResponseObject> };
}

const file = readFileSync(join(__dirname, '../openapi.json'), 'utf8');
const { paths, components }: Document = resolveRefs(JSON.parse(file), JSON.parse(file));

const problemType = 'application/problem+json';

/** The operations of the OpenAPI document, such as `['GET', '/data/{id}']`. */
export const documentedOperations = Object.entries(paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => [method.toUpperCase(), path] as const),
);

/** Those that want a token where callers are told apart. */
export const protectedOperations = documentedOperations.filter(
  ([method, path]) => paths[path]?.[method.toLowerCase()]?.security,
);

/** Compares responses with the OpenAPI document, and notes which of its answers they are. */
export function createConformance() {
  const seen = new Set<string>();
  const bodies = new Set<string>();

  /** Asserts that a response is as the document says, whatever was requested. */
  function check(response: HttpResponse): void {
    const { method, status, headers, text, json } = response;
    const path = Object.keys(paths).find((path) => pathPattern(path).test(response.path)) ?? '';
    const methods = Object.keys(paths[path] ?? {}).map((name) => name.toUpperCase());
    const isDocumented = methods.includes(method);
    if (path && !isDocumented) {
      assert.is(headers.get('allow'), [...methods, 'HEAD', 'OPTIONS'].join(', '));
      if (method === 'OPTIONS') {
        assert.is(status, 204);
        return;
      }
    }
    const { responses = components.responses } = paths[path]?.[method.toLowerCase()] ?? {};
    const expected = isDocumented
      ? (responses[status] ?? responses.default)
      : responses[path ? 'method-not-allowed' : 'not-found'];
    if (!expected) throw new Error(`${method} ${path} has no ${status}: ${text}`);

    for (const [name, { required, schema }] of Object.entries(expected.headers ?? {})) {
      const value = headers.get(name);
      if (required) assert.ok(value, `${name} is required`);
      if (value && schema.type === 'integer') assert.match(value, /^\d+$/);
    }
    const contentType = headers.get('content-type') ?? '';
    const schema = expected.content?.[contentType]?.schema;
    if (!schema) throw new Error(`${method} ${path} ${status} is no ${contentType}`);
    assertValid(schema, json);
    const type = contentType === problemType ? json.type.replace('urn:problem-type:', '') : '';
    seen.add(`${method} ${path} ${status} ${type}`);
    bodies.add(JSON.stringify(json));
  }

  return {
    check,
    /** The documented answers that no response was. */
    unseen: () => documentedAnswers().filter((answer) => !seen.has(answer)),
    /** The examples of problems that no response was. */
    unseenExamples: () =>
      Object.values(components.responses)
        .flatMap(({ content }) => Object.values(content?.[problemType]?.examples ?? {}))
        .map(({ value }) => JSON.stringify(value))
        .filter((example) => !bodies.has(example)),
  };
}

/** Such as `GET /data 200 ` and `GET /data 400 invalid-query`. */
function documentedAnswers(): string[] {
  return documentedOperations.flatMap(([method, path]) => {
    const { responses = {} } = paths[path]?.[method.toLowerCase()] ?? {};
    return Object.entries(responses).flatMap(([status, { content }]) => {
      const types = Object.keys(content?.[problemType]?.examples ?? { '': undefined });
      return status === 'default' ? [] : types.map((type) => `${method} ${path} ${status} ${type}`);
    });
  });
}

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`);
}

/** The time in RFC 3339, for which zod would accept UTC only. */
const dateTime = String.raw`"pattern":"^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d)$"`;

const validators = new Map<object, z.ZodType>();

/** Asserts that a value is as a schema of the document says. */
export function assertValid(schema: object, value: unknown): void {
  let validator = validators.get(schema);
  if (!validator) {
    const text = JSON.stringify({ ...schema, $defs: components.schemas })
      .replaceAll('#/components/schemas/', '#/$defs/')
      .replaceAll('"format":"date-time"', dateTime);
    validator = z.fromJSONSchema(JSON.parse(text));
    validators.set(schema, validator);
  }
  const { error } = validator.safeParse(value);
  if (error) {
    throw new Error(`${z.prettifyError(error)} in ${JSON.stringify(value).slice(0, 1000)}`);
  }
}

/** Puts what references name in their places, schemas excepted: those may be recursive. */
// biome-ignore lint/suspicious/noExplicitAny: any JSON
function resolveRefs(value: any, root: any): any {
  if (typeof value !== 'object' || value === null) return value;
  const ref: string | undefined = value.$ref;
  if (ref && !ref.startsWith('#/components/schemas/')) {
    const target = ref
      .slice(2)
      .split('/')
      .reduce((node, name) => node[name], root);
    return resolveRefs(target, root);
  }
  if (Array.isArray(value)) return value.map((item) => resolveRefs(item, root));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolveRefs(item, root)]),
  );
}
