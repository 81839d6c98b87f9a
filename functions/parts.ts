import type { Parts } from './app';
import type { Config } from './config';
import { indexKeys } from './documents/insert';
import { openDatabase } from './mongo/database';
import { once } from './runtime/once';

/** Creates what the application is made of. The driver is loaded with the first call of `database`. */
export function createParts(config: Config): Parts {
  return {
    config,
    lifecycle: { draining: false },
    database: once(() => openDatabase(config.mongo, indexKeys)),
  };
}
