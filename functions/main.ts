import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp, once } from './app';
import { type Config, parseConfig } from './config';
import { indexKeys } from './documents/insert';
import { type Server, serve } from './http/server';
import { type Database, openDatabase } from './mongo/database';
import { ConfigError } from './runtime/errors';
import type { Lifecycle } from './runtime/lifecycle';
import { flushLog, log } from './runtime/log';

/** For requests that came while the process started: to load the driver takes several times as long. */
const headStartMs = 10;

/** So soon the same signal is the first once more: npm passes on what the terminal sends to all. */
const echoMs = 1000;

/** The running service. */
export interface Service {
  url: string;
  database: Database;
  /** Settles when a signal has ended the service and all that was under way is done. */
  stopped: Promise<void>;
}

/**
 * Starts the service as the environment configures it, until SIGTERM, SIGINT or SIGHUP. A second
 * signal ends the process at once, unless it repeats the first within a second.
 *
 * @throws {ConfigError} that names every variable which can't be used
 * @throws {NodeJS.ErrnoException} when the port can't be had
 */
export async function start(environment = process.env): Promise<Service> {
  const config = parseConfig(environment);
  log.level = config.logLevel;
  const lifecycle: Lifecycle = { draining: false };
  const signalled = new Promise<string>((resolve) => {
    let first: { signal: string; at: number } | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        first ??= { signal, at: performance.now() };
        if (signal !== first.signal || performance.now() - first.at > echoMs) process.exit(1);
        resolve(signal);
      });
    }
  });
  const database = once(() => openDatabase(config.mongo, indexKeys));
  const { app } = createApp({ config, lifecycle, database });
  const server = await serve(app, config, lifecycle);
  log.info({ port: server.port }, 'listening');
  await sleep(headStartMs);
  database().connect();
  return {
    url: `http://localhost:${server.port}`,
    database: database(),
    stopped: signalled.then((signal) => stop(signal, server, database(), config)),
  };
}

async function stop(
  signal: string,
  server: Server,
  database: Database,
  { drainDelayMs, drainTimeoutMs }: Config,
): Promise<void> {
  log.info({ signal }, 'draining');
  await server.drain(drainDelayMs, drainTimeoutMs);
  await database.close();
  log.info('stopped');
  await flushLog();
  if (signal === 'SIGHUP') closeTerminal();
}

/** As it exits, Node resets its terminal, and aborts if that is gone. It passes over what is closed. */
function closeTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // it was closed before
    }
  }
}

/** Says in one sentence why the service could not start. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Set PORT to one that is free.`;
  if (code === 'EACCES') return `Port ${port} may not be used. Set PORT to one above 1023.`;
  return `The service could not start: ${message}`;
}

if (require.main === module) {
  start()
    .then(({ stopped }) => stopped)
    .then(
      () => process.exit(0),
      (error) => {
        console.error(explain(error));
        process.exit(1);
      },
    );
}
