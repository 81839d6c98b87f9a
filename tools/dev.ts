import './check-config';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuildContext, context } from 'esbuild';
import { explain } from '../functions/runtime/explain';
import { config } from './check-config';
import type { Database } from './database/embedded-database';
import { introduction, prepare } from './local-service';
import { freePort } from './network/ports';
import { end, identify } from './programs/processes';

const sources = 'functions';
const bundle = 'dist/dev.js';

/**
 * `npm run dev`: runs the service and restarts it when a file in functions/ is saved. The embedded database
 * keeps running. While the code does not compile, the last version that did goes on.
 */
async function main(): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve());
    }
  });
  try {
    await Promise.race([run(), stopped]);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
  await stopService();
  await database?.stop();
  process.exit();
}

let database: Database | undefined;
let service: ChildProcess | undefined;
process.on('exit', () => service?.kill('SIGKILL'));

async function run(): Promise<never> {
  database = await prepare();
  const port = config.port || (await freePort());
  const build = await context({
    entryPoints: [join(sources, 'main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning', // prints what does not compile
  });
  const url = `http://localhost:${port}`;
  console.error(
    `\nThe service is at ${url} and restarts when a file in ${sources}/ is saved.` +
      ` ${introduction(url, database)}`,
  );
  for (;;) {
    const changed = nextChange(sources);
    await restart(build, port);
    await changed;
    await sleep(50); // an editor may write several files
  }
}

async function restart(build: BuildContext, port: number): Promise<void> {
  const compiles = await build.rebuild().then(
    () => true,
    () => false,
  );
  if (!compiles) {
    const running = service ? 'The version before it still runs.' : 'Save a file to try again.';
    console.error(`The code does not compile. ${running}`);
    return;
  }
  await stopService();
  const child = spawn(process.execPath, ['--enable-source-maps', bundle], {
    // requests under way get a second to finish
    env: { DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '1000', ...process.env, PORT: String(port) },
    stdio: 'inherit',
    detached: true, // so that Ctrl-C reaches this process alone, which then stops the service
  });
  child.on('exit', (code, signal) => {
    if (service !== child) return;
    service = undefined;
    console.error(`The service exited (${signal ?? code}). Save a file to restart it.`);
  });
  service = child;
}

async function stopService(): Promise<void> {
  const child = service;
  service = undefined;
  if (child?.pid !== undefined) await end(identify(child.pid), 3000);
}

/**
 * Waits for a change in a folder, at any depth. Watches folders, as editors replace files, which ends
 * a watch of the file itself.
 */
function nextChange(root: string): Promise<void> {
  const folders = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Promise((resolve) => {
    const watchers = [root, ...folders].map((folder) =>
      watch(folder, () => {
        for (const watcher of watchers) watcher.close();
        resolve();
      }),
    );
  });
}

void main();
