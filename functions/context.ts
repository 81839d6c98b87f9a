import type { BodyLimits } from './http/request-body';
import type { Resource } from './http/router';
import type { Database } from './mongo/database';

/** What a function works with. */
export interface Context extends BodyLimits {
  database: Database;
}

/**
 * A function: what can be done at which path.
 *
 * @param mount the path that all others begin with, such as `/data`, or `''` for the root
 * @param context created on the first request that needs it
 */
export type FunctionResources = (mount: string, context: () => Context) => Record<string, Resource>;
