import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from './config';
import { app, config, database, state } from './index';
import { log } from './log';
import { type Server, serve } from './server';

/** For requests that came while the process started: to load the driver takes several times as long. */
const headStartMs = 10;

/** The running service. */
export interface Service {
  url: string;
  /** Settles when a signal has ended the service and all that was under way is done. */
  stopped: Promise<void>;
}

/**
 * Starts the service as the environment configures it, until SIGTERM, SIGINT or SIGHUP. A second
 * signal ends the process at once.
 *
 * @throws {ConfigError} that names every variable which can't be used
 * @throws {NodeJS.ErrnoException} when the port can't be had
 */
export async function start(): Promise<Service> {
  log.level = config().logLevel;
  const signalled = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => (state.draining ? process.exit(1) : resolve(signal)));
    }
  });
  const server = await serve(app, config());
  log.info({ port: server.port }, 'listening');
  await sleep(headStartMs);
  database().connect();
  return {
    url: `http://localhost:${server.port}`,
    stopped: signalled.then((signal) => stop(server, signal)),
  };
}

async function stop(server: Server, signal: string): Promise<void> {
  const { drainDelayMs, drainTimeoutMs } = config();
  log.info({ signal }, 'draining');
  state.draining = true;
  await server.drain(drainDelayMs, drainTimeoutMs);
  await database().close();
  log.info('stopped');
}

/** Says in one sentence why the service could not start. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `Port ${config().port} is taken. Set PORT to one that is free.`;
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
