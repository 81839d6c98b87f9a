import * as z from 'zod/mini';
import { type Issue, Problem } from './problem';

/** Thousands of parameters would be an answer many times as long as its request. */
const MAX_ISSUES = 20;

export const noParameters = z.strictObject({});

/**
 * Parses query parameters, as a router splits them, by a strict schema.
 *
 * @throws {Problem} 400 that names the parameters which are wrong, unknown or given twice, up to 20
 */
export function parseQuery<Query>(schema: z.ZodMiniType<Query>, parameters: object): Query {
  const repeated = Object.entries(parameters).flatMap(([name, value]) =>
    Array.isArray(value) ? [{ path: [name], message: 'given more than once' }] : [],
  );
  const parsed = schema.safeParse({ ...parameters });
  if (parsed.success && repeated.length === 0) return parsed.data;

  const all = repeated.length > 0 ? repeated : (parsed.error?.issues ?? []).flatMap(toIssues);
  const issues = all.slice(0, MAX_ISSUES);
  const detail = issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new Problem('invalid-query', `The query parameters can't be used: ${detail}.`, { issues });
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((name) => ({ path: [name], message: 'unknown parameter' }))
    : [{ path: issue.path, message: issue.message }];
}
