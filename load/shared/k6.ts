import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { addToCache, cached, onPath } from '../../tools/programs/program-cache';
import { type Say, work } from '../../tools/programs/run-tool';

export const k6Version = 'v1.8.1';

/**
 * Finds k6: on the PATH, in the cache, or by building it with Go into the cache.
 * @returns its path
 * @throws Error when there is neither k6 nor a Go that builds it in 20 min
 */
export async function findK6(say: Say): Promise<string> {
  const name = `k6-${k6Version}`;
  return onPath('k6') ?? cached(name) ?? buildK6(name, say);
}

function buildK6(name: string, say: Say): Promise<string> {
  return addToCache(name, async (path) => {
    say(`building k6 ${k6Version} with Go, this once: it takes some minutes`);
    const folder = dirname(path);
    await work({
      title: 'build of k6',
      command: 'go',
      args: ['install', '-trimpath', '-ldflags', '-s -w', `go.k6.io/k6@${k6Version}`],
      cwd: folder,
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '', GOWORK: 'off' },
      limit: 1200,
      say,
    });
    await rename(join(folder, 'k6'), path);
  });
}

/** @returns such as `v1.8.1` */
export async function k6VersionOf(k6: string): Promise<string> {
  const { stdout } = await promisify(execFile)(k6, ['version']);
  return /v[\d.]+\S*/.exec(stdout)?.[0] ?? stdout.trim();
}

export interface K6Run {
  /** 0, 99 when a threshold was crossed, 108 when `setup()` stopped the test. */
  code: number | null;
  output: string;
}

/**
 * Runs a script of load/ to its end, without k6's own server and usage report.
 * @param args more arguments of `k6 run`
 * @param env the script's settings
 */
export async function runK6(
  k6: string,
  script: string,
  env: NodeJS.ProcessEnv,
  args: string[] = [],
): Promise<K6Run> {
  const quiet = ['--quiet', '--no-color', '--no-usage-report', '--address', ''];
  const child = spawn(k6, ['run', ...quiet, ...args, join(__dirname, '..', script)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithUs = () => child.kill();
  process.once('exit', endWithUs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const [code] = await once(child, 'close');
  process.off('exit', endWithUs);
  return { code, output };
}
