import { type Config, parseConfig } from '../functions/config';

// Imported first, so that a configuration that can't be used ends the program before anything slow.

const { env } = process;

/** Whether the environment names no database, so that the embedded one is used. */
export const usesEmbeddedDatabase = !env.MONGODB_URI && !env.MONGODB_URI_FILE && !env.MONGO_HOST;

export const config: Config = check();

function check(): Config {
  try {
    return parseConfig(
      usesEmbeddedDatabase ? { ...env, MONGODB_URI: 'mongodb://to-be-started' } : env,
    );
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
