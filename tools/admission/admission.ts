import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFlags, hasGo, installGo, runGo } from '../programs/go';
import { addToCache, cached } from '../programs/program-cache';
import { type Report, runTool } from '../programs/run-tool';

export interface Document {
  /** The folder or file it was rendered from. */
  source: string;
  /** Missing if nothing could be rendered. */
  // biome-ignore lint/suspicious/noExplicitAny: a manifest of any kind
  object?: any;
  /** Why a cluster would reject it. */
  errors: string[];
}

/**
 * Renders kustomizations and files of manifests, and checks whether Kubernetes 1.34 (under Pod Security
 * Standard "restricted") and Knative 1.21 would accept each manifest. Needs no cluster.
 *
 * @throws {Error} when the program that checks them can't be built
 */
export async function admit(sources: string[], report: Report): Promise<Document[]> {
  const name = programName();
  const program = cached(name) ?? (await addToCache(name, (path) => build(path, report)));
  const output = await runTool({
    title: 'checking the manifests',
    command: program,
    args: sources,
    timeout: 60,
    report,
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** @returns what has to be installed before `admit` can work, if anything */
export function missingForAdmission(): string | undefined {
  return cached(programName()) || hasGo() ? undefined : installGo;
}

/** The program's name in the cache, with a hash of its source. */
function programName(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go'])
    hash.update(readFileSync(join(__dirname, file)));
  return `admission-${hash.digest('hex').slice(0, 12)}`;
}

async function build(path: string, report: Report): Promise<void> {
  report("building Kubernetes' and Knative's validation with Go, once: one to three minutes");
  const args = ['build', ...buildFlags, '-o', path, '.'];
  await runGo('building the check of the manifests', args, { cwd: __dirname, report });
}
