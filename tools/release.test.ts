import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dependencies, version } from '../package.json';

const root = join(__dirname, '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');

test('npm run image gives the version of package.json and the git revision to the build', () => {
  const { VERSION, REVISION, ...others } = buildArguments();
  assert.equal(others, {});
  assert.is(VERSION, version);
  assert.is(REVISION?.replace(/-dirty$/, ''), headRevision());
});

test('the Dockerfile turns both into labels, and states no version itself', () => {
  for (const name of ['VERSION', 'REVISION']) {
    assert.match(dockerfile, `\nARG ${name}=unknown\n`);
    assert.match(dockerfile, `image.${name.toLowerCase()}="$${name}"`);
  }
  assert.not.match(dockerfile, version);
});

test('the Dockerfile runs nothing on the platform of the image but the compiler of the code', () => {
  const stages = dockerfile.split(/^(?=FROM )/m).slice(1);
  const runs = stages.map((stage) => stage.match(/^RUN /gm)?.length ?? 0);
  assert.equal(runs, [2, 0, 1, 0]);
  assert.match(stages[0] as string, /^FROM --platform=\$BUILDPLATFORM /);
});

test('npm run sbom lists the libraries of the image, not those of the tests', () => {
  const { name, packages } = JSON.parse(
    execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' }),
  ) as {
    name: string;
    packages: { name: string; versionInfo: string; licenseDeclared?: string }[];
  };
  assert.is(name, `functions-on-knative@${version}`);
  const found = (name: string) => packages.find((one) => one.name === name);
  for (const library of Object.keys(dependencies)) assert.ok(found(library)?.versionInfo, library);
  assert.not.ok(found('esbuild'));
});

test('the notes of a release are its section of CHANGELOG.md, with links that work elsewhere', () => {
  const notes = releaseNotes('Unreleased') + releaseNotes('0.1.0');
  assert.match(notes, '### Added\n');
  assert.not.match(notes, /^## /m);
  assert.not.match(notes, /\]\((?!https:\/\/)/);
  assert.match(notes, '](https://example.com/blob/v1/docs/');
  // the start of a version is not that version
  assert.throws(() => releaseNotes('0.1'), /CHANGELOG\.md has no section \[0\.1\]/);
});

const releaseNotes = (version: string) =>
  execFileSync('.github/release-notes.sh', [version, 'https://example.com/blob/v1'], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  });

test.run();

/** What `image.sh build` gives to docker, for which a script that prints its arguments stands in. */
function buildArguments(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'release-test-'));
  try {
    const script = '#!/bin/sh\n[ "$1" != build ] || printf "%s\\n" "$@"\n';
    writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
    const output = execFileSync('knative/deploy/image.sh', ['build'], {
      cwd: root,
      env: { ...env, TOOL: 'docker', IMAGE: 'example/functions:test' },
      encoding: 'utf8',
    });
    const lines = output.split('\n');
    const given = lines.filter((_, i) => lines[i - 1] === '--build-arg');
    return Object.fromEntries(given.map((argument) => argument.split('=') as [string, string]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns `unknown` where this is not a git repository */
function headRevision(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
