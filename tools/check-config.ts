import { type Config, parseConfig } from '../functions/config';

// Imported first, so that a configuration that can't be used ends the program before anything slow.

const { env } = process;

/** The variable that names the database; undefined if none does, so that the embedded one is used. */
export const databaseVariable = ['MONGODB_URI', 'MONGODB_URI_FILE', 'MONGO_HOST'].find(
  (name) => env[name],
);

export const config: Config = check();

function check(): Config {
  try {
    return parseConfig(databaseVariable ? env : { ...env, MONGODB_URI: 'mongodb://to-be-started' });
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
