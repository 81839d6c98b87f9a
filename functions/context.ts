import type { Resource } from './http/router';
import type { Database } from './mongo/database';
import type { Memory } from './runtime/memory';

/** What a function works with. Times are in ms, sizes in bytes. */
export interface Context {
  database: Database;
  memory: Memory;
  /**
   * Bounds the bodies that are handled at a time. A document of 1 MiB can cost half a second of CPU:
   * when many arrive at once, those in progress finish first, and the others are rejected before they
   * have cost anything.
   */
  turns: Memory;
  bodyLimitBytes: number;
  /** How long a request may wait, for memory and for MongoDB. */
  timeoutMs: number;
}

/**
 * A function: what can be done at which path.
 *
 * @param mount the path that all others begin with, such as `/data`, or `''` for the root
 * @param context created on the first request that needs it
 */
export type FunctionResources = (mount: string, context: () => Context) => Record<string, Resource>;
