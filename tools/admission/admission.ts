import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
 * Standard "restricted"), Knative 1.21 and the schemas of Percona's operator for MongoDB would accept each
 * manifest. Needs no cluster.
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

const source = ['go.mod', 'go.sum', 'custom.go', 'main.go'];

/** Percona's operator for MongoDB, whose definitions of resources are built in. */
const operator = 'github.com/percona/percona-server-mongodb-operator@v1.23.0';

/** The program's name in the cache, with a hash of its source. */
function programName(): string {
  const hash = createHash('sha256').update(operator);
  for (const file of source) hash.update(readFileSync(join(__dirname, file)));
  return `admission-${hash.digest('hex').slice(0, 12)}`;
}

async function build(path: string, report: Report): Promise<void> {
  report("building Kubernetes' and Knative's validation with Go, once: one to three minutes");
  const title = 'building the check of the manifests';
  const cwd = dirname(path);
  const download = ['mod', 'download', '-json', operator];
  const { Dir } = JSON.parse(await runGo(title, download, { cwd, report }));
  copyFileSync(join(Dir, 'deploy/crd.yaml'), join(cwd, 'crd.yaml'));
  for (const file of source) copyFileSync(join(__dirname, file), join(cwd, file));
  await runGo(title, ['build', ...buildFlags, '-o', path, '.'], { cwd, report });
}
