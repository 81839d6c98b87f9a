import type * as Zod from 'zod';
import type { ProblemType } from './problem';

/** All of zod, which the service itself never loads. */
export type Z = typeof Zod;

/**
 * Describes an operation for the OpenAPI document. It is called only when `npm run openapi` makes the
 * document.
 */
export type Describe = (z: Z) => Description;

export interface Description {
  summary: string;
  description?: string;
  /** Parameters by name: those of the path and of the query, and, by any other name, headers. */
  parameters?: Record<string, ParameterDescription>;
  /** A JSON body. */
  body?: Content;
  /** Responses other than problems, by status. */
  responses: Record<number, ResponseDescription>;
  /** The problems that it answers with, besides those that every operation has. */
  problems?: (ProblemType | OwnProblem)[];
}

export interface ParameterDescription {
  description: string;
  /** The schema of its value; by default for the query that of the operation, else any string. */
  schema?: Zod.ZodType;
  example?: unknown;
}

export interface Content {
  schema: Zod.ZodType;
  example: unknown;
}

export interface ResponseDescription extends Partial<Content> {
  description: string;
  headers?: Record<string, string>;
  /** What else can be requested of what was answered (OpenAPI's Link Objects), by name. */
  links?: Record<string, { operationId: string; parameters: Record<string, string> }>;
}

/** What is said of a problem type. */
export interface ProblemDescription {
  when: string;
  /** An example of its `detail`. */
  detail: string;
  /** An example of its `issues`, if it has some. */
  issues?: { path: (string | number)[]; message: string }[];
  /** Headers that it can have. */
  headers?: string[];
}

/** A problem type of a function's own. */
export interface OwnProblem extends ProblemDescription {
  type: string;
  status: number;
}

/** The problems of `withBody`. */
export const bodyProblems: ProblemType[] = [
  'malformed-json',
  'incomplete-body',
  'request-timeout',
  'body-too-large',
  'unsupported-media-type',
  'unsupported-content-coding',
  'overloaded',
];

/** The problems of `authorize`. */
export const accessProblems: ProblemType[] = [
  'token-required',
  'invalid-token',
  'insufficient-scope',
  'authentication-unavailable',
];

/** The problems of `database.run`. */
export const databaseProblems: ProblemType[] = ['overloaded', 'database-unavailable', 'internal'];
