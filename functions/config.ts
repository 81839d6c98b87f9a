import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import type { AuthSettings } from './auth/authorize';
import { checkAuthNames, readAuthSettings } from './auth/settings';
import type { ServerOptions } from './http/server';
import type { MongoConfig } from './mongo/database';
import { checkUri } from './mongo/uri-options';
import { ConfigError } from './runtime/errors';
import { readSmallFile } from './runtime/small-file';
import { wholeNumber } from './runtime/whole-number';
import { checkTracing, type TracingOptions } from './tracing/options';

z.config(english());

type Environment = Record<string, string | undefined>;

/** Who may call the service. */
export interface Access {
  /** Everybody may without it. */
  auth?: AuthSettings;
  /** The origins whose pages may call it from a browser. */
  corsOrigins?: string[];
}

/** The settings. Times are in ms, sizes in bytes. */
export interface Config extends ServerOptions, Access {
  logLevel: (typeof logLevels)[number];
  /** Where metrics are served, if they are; 0 for any port that is free. */
  metricsPort?: number;
  /** Where traces are sent, if they are. */
  tracing?: TracingOptions;
  bodyLimitBytes: number;
  /** How long new requests are accepted after a signal. */
  drainDelayMs: number;
  /** How long requests in flight may take after that. */
  drainTimeoutMs: number;
  /** Memory for all requests in flight. */
  memoryBudgetBytes: number;
  mongo: MongoConfig;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

function integer(minimum: number, maximum: number, fallback: number) {
  return z._default(wholeNumber(minimum, maximum), fallback);
}

/** The settings that are parsed one by one. Checks across settings are in `connectionSchema`. */
const serverSchema = z.object({
  PORT: integer(0, 65_535, 8080),
  LOG_LEVEL: z._default(z.enum(logLevels, `must be one of ${logLevels.join(', ')}`), 'info'),
  LOG_REQUESTS: z._default(z.stringbool({ error: 'must be true or false' }), true),
  // BSON is up to 6.5 times as long as its JSON: over 2 MiB, it could exceed MongoDB's 16 MiB
  BODY_LIMIT_BYTES: integer(1, 2 * 1024 * 1024, 1024 * 1024),
  KEEP_ALIVE_TIMEOUT_MS: integer(0, 600_000, 95_000),
  DRAIN_DELAY_MS: integer(0, 60_000, 1000),
  DRAIN_TIMEOUT_MS: integer(0, 600_000, 10_000),
  MEMORY_BUDGET_BYTES: integer(16 * 1024 ** 2, 4 * 1024 ** 3, 128 * 1024 ** 2),
  TRANSFER_TIMEOUT_MS: integer(100, 600_000, 30_000),
  MAX_CONNECTIONS: integer(1, 100_000, 5000),
  MONGO_PORT: integer(1, 65_535, 27_017),
  MONGO_POOL_SIZE: integer(1, 1000, 10),
  MONGO_TIMEOUT_MS: integer(100, 300_000, 5000),
  METRICS_PORT: z.optional(wholeNumber(0, 65_535)),
});

const databaseNameError = 'must have 1 to 63 bytes in UTF-8, without space, NUL and /\\."$*<>:|?';

/** https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions */
function isDatabaseName(name: string): boolean {
  return /^[^/\\. "$*<>:|?]+$/.test(name) && !name.includes('\0') && Buffer.byteLength(name) <= 63;
}

function text(pattern: RegExp, error: string) {
  return z.optional(z.string().check(z.regex(pattern, error)));
}

/** How to reach MongoDB: by URI, or by host, user and password. */
const connectionSchema = z
  .object({
    MONGODB_URI: text(
      /^mongodb(\+srv)?:\/\/./,
      'must look like mongodb://user:password@host:27017/database',
    ),
    MONGO_HOST: text(
      /^([\w.-]+|[\da-f]*:[\da-f:]+)$/i,
      'must be a host name or an address, without a port',
    ),
    MONGO_USERNAME: z.optional(z.string()),
    MONGO_PASSWORD: z.optional(z.string()),
    MONGODB_URI_FILE: z.optional(z.string()),
    MONGO_USERNAME_FILE: z.optional(z.string()),
    MONGO_PASSWORD_FILE: z.optional(z.string()),
    MONGO_TLS_CA_FILE: z.optional(z.string()),
    MONGO_DATABASE: z.optional(z.string().check(z.refine(isDatabaseName, databaseNameError))),
  })
  .check(
    z.check<Environment>(({ value, issues }) => {
      for (const [name, message] of contradictions(value)) {
        issues.push({ code: 'custom', path: [name], message, input: undefined });
      }
    }),
  );

/** The variables that are missing, or contradict others, each with what to do. */
function contradictions(env: Environment): [name: string, message: string][] {
  const found: [string, string][] = [];
  const report = (name: string, message: string) => found.push([name, message]);
  const given = (name: string) => env[name] ?? env[fileVariable(name)];

  for (const name of secrets.filter((name) => env[name] && env[fileVariable(name)])) {
    report(fileVariable(name), `set this or ${name}, not both`);
  }
  if (!given('MONGODB_URI') && !env.MONGO_HOST) {
    report('MONGODB_URI', 'set this or MONGO_HOST, so that the service can find MongoDB');
  }
  if (given('MONGODB_URI')) {
    for (const name of ['MONGO_HOST', 'MONGO_USERNAME', 'MONGO_PASSWORD']) {
      if (given(name)) report(name, "can't be used together with MONGODB_URI; unset one of them");
    }
    return found;
  }
  if (given('MONGO_USERNAME') && !given('MONGO_PASSWORD')) {
    report('MONGO_PASSWORD', 'set this or MONGO_PASSWORD_FILE together with MONGO_USERNAME');
  }
  if (given('MONGO_PASSWORD') && !given('MONGO_USERNAME')) {
    report('MONGO_USERNAME', 'set this together with the password');
  }
  return found;
}

const secrets = ['MONGODB_URI', 'MONGO_USERNAME', 'MONGO_PASSWORD'];

/** The variable that names a file which has the secret. */
const fileVariable = (secret: string) => `${secret}_FILE`;

/** Removes newlines at the end, as a shell's `$(cat FILE)` does, and nothing else. */
function trimNewlines(secret: string): string {
  return secret.replace(/\n+$/, '');
}

/**
 * Parses the environment variables. An empty variable counts as unset, but one of `AUTH_…` is an error.
 * docs/configuration.md lists all of them.
 *
 * @throws {ConfigError} that names every invalid variable
 */
export function parseConfig(environment: Environment): Config {
  const env = withoutEmpty(environment);
  const fileProblems = readSecretFiles(env);
  // Kubernetes sets it to `tcp://…` if there is a Service named `mongo`
  if (env.MONGODB_URI) delete env.MONGO_PORT;
  const server = serverSchema.safeParse(env);
  const connection = connectionSchema.safeParse(env);
  const problems = [server, connection].flatMap(({ error }) =>
    (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`),
  );
  const { PORT, METRICS_PORT } = server.data ?? {};
  if (METRICS_PORT && METRICS_PORT === PORT) {
    problems.push('METRICS_PORT: must be another port than PORT; 9464 is usual');
  }
  const traces = checkTracing(env);
  problems.push(...(traces?.problems ?? []));
  problems.push(...fileProblems, ...checkCertificates(env.MONGO_TLS_CA_FILE));
  const access = readAccess(environment, problems);
  const checked = env.MONGODB_URI ? checkUri(env.MONGODB_URI, env.MONGO_TLS_CA_FILE) : undefined;
  problems.push(...(checked?.problems ?? []));
  const nameInUri = databaseNameOf(env.MONGODB_URI);
  if (nameInUri && !isDatabaseName(nameInUri)) {
    const hint = 'if the password has a /, write it as %2F';
    problems.push(`MONGODB_URI: the name of its database ${databaseNameError}; ${hint}`);
  }
  if (!server.success || !connection.success || problems.length > 0) {
    throw new ConfigError(problems);
  }

  const { data: settings } = server;
  const { MONGO_USERNAME: username, MONGO_PASSWORD: password, MONGO_DATABASE } = connection.data;
  return {
    port: settings.PORT,
    logLevel: settings.LOG_LEVEL,
    logRequests: settings.LOG_REQUESTS,
    ...(METRICS_PORT !== undefined && { metricsPort: METRICS_PORT }),
    ...(traces?.tracing && { tracing: traces.tracing }),
    ...access,
    bodyLimitBytes: settings.BODY_LIMIT_BYTES,
    keepAliveTimeoutMs: settings.KEEP_ALIVE_TIMEOUT_MS,
    drainDelayMs: settings.DRAIN_DELAY_MS,
    drainTimeoutMs: settings.DRAIN_TIMEOUT_MS,
    memoryBudgetBytes: settings.MEMORY_BUDGET_BYTES,
    transferTimeoutMs: settings.TRANSFER_TIMEOUT_MS,
    maxConnections: settings.MAX_CONNECTIONS,
    mongo: {
      uri: checked?.uri ?? uriOf(connection.data, settings.MONGO_PORT),
      ...(username && password && { auth: { username, password } }),
      databaseName: MONGO_DATABASE ?? nameInUri ?? 'functions',
      poolSize: settings.MONGO_POOL_SIZE,
      timeoutMs: settings.MONGO_TIMEOUT_MS,
    },
  };
}

/**
 * Parses only what says who may call the service, for a function that needs nothing else.
 *
 * @throws {ConfigError} that names every invalid variable
 */
export function parseAccess(environment: Environment): Access {
  const problems: string[] = [];
  const access = readAccess(environment, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return access;
}

function readAccess(environment: Environment, problems: string[]): Access {
  const report = (name: string, message: string) => problems.push(`${name}: ${message}`);
  checkAuthNames(environment, report);
  const env = withoutEmpty(environment);
  const auth = readAuthSettings(env, report);
  const corsOrigins = env.CORS_ORIGINS?.split(',').map((origin) => origin.trim());
  if (corsOrigins?.some((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin)) {
    report('CORS_ORIGINS', 'must be origins such as https://app.example, separated by commas');
  }
  return { ...(auth && { auth }), ...(corsOrigins && { corsOrigins }) };
}

/** The variables, without those that are empty. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, secrets.includes(name) ? trimNewlines(value ?? '') : value])
      .filter(([, value]) => value !== ''),
  );
}

/**
 * Takes secrets from the files that variables name, as if their values stood in the environment.
 *
 * @returns one line for every file that can't be used
 */
function readSecretFiles(env: Environment): string[] {
  const problems: string[] = [];
  for (const name of secrets) {
    const variable = fileVariable(name);
    const path = env[variable];
    if (!path || env[name]) continue;
    const secret = trimNewlines(readText(variable, path, problems) ?? '');
    if (!secret) continue;
    env[name] = secret;
    delete env[variable];
  }
  return problems;
}

/** @returns one line if there is a file and it can't be one of the certificates to trust */
function checkCertificates(path: string | undefined): string[] {
  const problems: string[] = [];
  const text = path && readText('MONGO_TLS_CA_FILE', path, problems);
  if (text && !text.includes('-----BEGIN CERTIFICATE-----')) {
    problems.push('MONGO_TLS_CA_FILE: the file has no certificate in PEM');
  }
  return problems;
}

/** Reads a file, or reports that it can't be read or is empty. */
function readText(variable: string, path: string, problems: string[]): string | undefined {
  try {
    const text = readSmallFile(path);
    if (trimNewlines(text)) return text;
    problems.push(`${variable}: the file is empty`);
  } catch (error) {
    problems.push(`${variable}: ${(error as Error).message}`);
  }
  return undefined;
}

function uriOf({ MONGO_HOST = '', MONGO_TLS_CA_FILE: caFile }: Environment, port: number): string {
  return checkUri(`mongodb://${withBrackets(MONGO_HOST)}:${port}`, caFile).uri;
}

/** An IPv6 address needs brackets in a URI. */
function withBrackets(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function databaseNameOf(uri = ''): string | undefined {
  const name = /^[^/]+\/\/[^/]+\/([^?]+)/.exec(uri)?.[1];
  try {
    return name && decodeURIComponent(name);
  } catch {
    return name;
  }
}
