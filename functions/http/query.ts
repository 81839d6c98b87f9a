import * as z from 'zod/mini';
import { type Issue, Problem } from './problem';

/** Bounds the response: a request can have thousands of invalid parameters. */
const MAX_ISSUES = 20;

/** The schema for operations without query parameters. */
export const noParameters = z.strictObject({});

/**
 * Validates query parameters against a strict schema.
 *
 * @param parameters by name; an array for a parameter that is given more than once
 * @throws {Problem} 400 that names up to 20 parameters that are invalid, unknown or given twice
 */
export function parseQuery<Query>(schema: z.ZodMiniType<Query>, parameters: object): Query {
  const repeated = Object.entries(parameters).flatMap(([name, value]) =>
    Array.isArray(value) ? [{ path: [name], message: 'given more than once' }] : [],
  );
  const parsed = schema.safeParse({ ...parameters });
  if (parsed.success && repeated.length === 0) return parsed.data;

  const found = repeated.length > 0 ? repeated : (parsed.error?.issues ?? []).flatMap(toIssues);
  const issues = found.slice(0, MAX_ISSUES);
  const detail = issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new Problem('invalid-query', `The query parameters can't be used: ${detail}.`, { issues });
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((name) => ({ path: [name], message: 'unknown parameter' }))
    : [{ path: issue.path, message: issue.message }];
}
