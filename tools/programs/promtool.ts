import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildFlags, hasGo, installGo, runGo } from './go';
import { addToCache, cached, onPath } from './program-cache';
import type { Report } from './run-tool';

/** That of the Prometheus in knative/monitoring/prometheus.yaml, whose module counts it so. */
export const prometheusVersion = 'v0.316.0';

const cacheName = `promtool-${prometheusVersion}`;

/** @returns what has to be installed before `findPromtool` can work, if anything */
export function missingForPromtool(): string | undefined {
  const found = onPath('promtool') ?? cached(cacheName);
  return found || hasGo() ? undefined : `promtool (https://prometheus.io/download) or ${installGo}`;
}

/**
 * Finds promtool: on the PATH, in the cache, or by building it with Go, which adds it to the cache.
 *
 * @returns its path
 * @throws {Error} when the build fails or takes more than 20 minutes
 */
export async function findPromtool(report: Report): Promise<string> {
  return onPath('promtool') ?? cached(cacheName) ?? addToCache(cacheName, build);

  async function build(path: string): Promise<void> {
    report('building promtool with Go, once: this takes three to five minutes');
    const folder = dirname(path);
    const module = `github.com/prometheus/prometheus/cmd/promtool@${prometheusVersion}`;
    const env = { GOBIN: folder, GOFLAGS: '' };
    await runGo('building promtool', ['install', ...buildFlags, module], {
      cwd: folder,
      env,
      report,
    });
    await rename(join(folder, 'promtool'), path);
  }
}
