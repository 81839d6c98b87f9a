import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { addToCache, onPath } from './program-cache';
import { type Report, runTool } from './run-tool';

/** What to install where there is no Go. */
export const installGo = 'Go 1.24 or later (https://go.dev/dl)';

export function hasGo(): boolean {
  return onPath('go') !== undefined;
}

/**
 * Runs a `go` command, for 20 minutes at most, with what builds a static program from the module as it is.
 *
 * @param title what is done, for progress lines and errors
 * @returns its standard output
 * @throws {Error} when Go is missing or the command fails
 */
export function runGo(
  title: string,
  args: string[],
  { cwd, env, report }: { cwd: string; env?: NodeJS.ProcessEnv; report: Report },
): Promise<string> {
  return runTool({
    title,
    command: 'go',
    args,
    cwd,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off', ...env },
    timeout: 1200,
    report,
  });
}

/**
 * Builds a published program into the cache.
 *
 * @param name its name in the cache
 * @param command the path of its package, such as `go.k6.io/k6`
 * @param version of its module
 * @returns its path
 * @throws {Error} when Go is missing or the build fails
 */
export function buildPublished(
  name: string,
  command: string,
  version: string,
  report: Report,
): Promise<string> {
  return addToCache(name, async (path) => {
    const folder = dirname(path);
    const program = basename(command);
    await runGo(`building ${program}`, ['install', ...buildFlags, `${command}@${version}`], {
      cwd: folder,
      env: { GOBIN: folder, GOFLAGS: '' },
      report,
    });
    await rename(join(folder, program), path);
  });
}

/** Flags of `go build` and `go install` for a small program. */
export const buildFlags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];
