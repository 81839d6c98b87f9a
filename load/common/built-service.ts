import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { nodeFolder } from './install';
import type { Server } from './server-process';

const repository = join(__dirname, '../..');

/** The environment variables that the Dockerfile sets. */
export const imageEnv = { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' };

/** The service as `npm run build` makes it, with the settings of the image. */
export const builtService: Server = {
  name: 'this, own host',
  command: () => ['node', 'dist/main.js'],
  cwd: repository,
  env: { ...imageEnv, LOG_REQUESTS: 'false' },
};

/** Compiles the code of the service with the Node.js that it runs on here, as the image does. */
export function compileBuiltService(): void {
  execFileSync('npm', ['run', '--silent', 'build:code'], {
    cwd: repository,
    env: { ...process.env, ...imageEnv, PATH: [nodeFolder, process.env.PATH].join(delimiter) },
    stdio: ['ignore', 2, 2],
  });
}
