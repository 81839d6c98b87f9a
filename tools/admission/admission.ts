import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addToCache, cached } from '../programs/program-cache';
import { type Say, work } from '../programs/run-tool';

export interface Document {
  /** The folder or file it was rendered from. */
  source: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was rendered; it is missing if nothing was
  object?: any;
  /** Why a cluster would not take it. */
  errors: string[];
}

/**
 * Renders kustomizations, and files of documents, and says of each document whether Kubernetes 1.34
 * (under Pod Security Standard "restricted") and Knative 1.21 would take it. No cluster is asked.
 * @throws Error when the program that does it is not there and can't be built
 */
export async function admit(sources: string[], say: Say): Promise<Document[]> {
  const path = await program(say);
  const title = 'admission';
  const output = await work({ title, command: path, args: sources, limit: 60, say });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** @returns the program's path in the cache, where it is built once for each version of it */
async function program(say: Say): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go'])
    hash.update(readFileSync(join(__dirname, file)));
  const name = `admission-${hash.digest('hex').slice(0, 12)}`;
  return cached(name) ?? addToCache(name, (path) => build(path, say));
}

async function build(path: string, say: Say): Promise<void> {
  say("building Kubernetes' and Knative's admission with Go, this once: one to three minutes");
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w'];
  await work({
    title: 'build of admission',
    command: 'go',
    args: ['build', ...flags, '-o', path, '.'],
    cwd: __dirname,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    limit: 1200,
    say,
  }).catch((error: Error) => {
    throw new Error(
      `${error.message}: the manifests are checked with Go 1.24 or later, install it`,
    );
  });
}
