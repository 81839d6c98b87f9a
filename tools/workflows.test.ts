import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { loadYaml } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { k6Version } from '../load/common/k6';
import { buildPublished, hasGo, installGo } from './programs/go';
import { cached, onPath } from './programs/program-cache';
import { prometheusVersion } from './programs/promtool';
import { suiteThatNeeds } from './uvu';

const test = suite('workflows');
const run = promisify(execFile);

const root = join(__dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder)).map((name) => join(folder, name));

const actionlintVersion = 'v1.7.12';
const actionlint = `actionlint-${actionlintVersion}`;
const found = onPath('actionlint') ?? cached(actionlint);
const linted = suiteThatNeeds(
  found || hasGo() ? undefined : `actionlint (https://github.com/rhysd/actionlint) or ${installGo}`,
  'actionlint',
);

linted('finds nothing', async () => {
  const command = 'github.com/rhysd/actionlint/cmd/actionlint';
  const path =
    found ?? (await buildPublished(actionlint, command, actionlintVersion, console.error));
  const output = await run(path, ['-no-color', ...workflows], { cwd: root }).catch(
    (error) => error,
  );
  assert.is(output.stdout, '');
  assert.is(output.stderr, '');
});

linted.run();

/** What jobs may besides reading. */
const mayWrite: Record<string, object> = {
  'release.yml image': { contents: 'read', packages: 'write' },
  'release.yml publish': {
    contents: 'read',
    packages: 'write',
    'id-token': 'write',
    attestations: 'write',
  },
  'release.yml release': { contents: 'write' },
};

for (const name of workflows) {
  test(`${name} pins its actions by commit and can only read`, () => {
    const { permissions, jobs } = loadYaml<Workflow>(read(name));
    assert.equal(permissions, { contents: 'read' });
    for (const [job, { permissions, uses, 'timeout-minutes': timeout, steps }] of Object.entries(
      jobs,
    )) {
      assert.equal(permissions, mayWrite[`${basename(name)} ${job}`]);
      assert.ok(timeout || uses?.startsWith('./'));
      for (const { uses, with: settings } of steps ?? []) {
        if (uses?.startsWith('actions/checkout@'))
          assert.is(settings?.['persist-credentials'], false);
      }
    }
    for (const [line] of read(name).matchAll(/uses:.*/g)) {
      assert.match(
        line,
        /^uses: ([\w/-]+@[\da-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/\w+\.yml)$/,
      );
    }
  });
}

test('nothing is published before all else has passed', () => {
  const { jobs } = loadYaml<Workflow>(read(join(folder, 'release.yml')));
  assert.equal(jobs.image?.needs, ['notes', 'test', 'e2e', 'reproduce']);
  assert.equal(jobs.publish?.needs, ['notes', 'image']);
  assert.equal(jobs.release?.needs, ['notes', 'publish']);
  for (const called of ['ci.yml', 'kind.yml']) {
    const { concurrency, on } = loadYaml<Workflow>(read(join(folder, called)));
    assert.ok('workflow_call' in on);
    // those of caller and called would wait for each other
    assert.not.match(concurrency.group, 'github.workflow');
  }
});

test('kind.yml has the versions of k6 and Kubernetes that the tests have', () => {
  const { env } = loadYaml<Workflow>(read(join(folder, 'kind.yml')));
  const [, kubernetes] =
    /k8s\.io\/kubernetes (v\d+\.\d+)\./.exec(read('tools/admission/go.mod')) ?? [];
  assert.is(env?.K6, k6Version);
  assert.match(String(env?.NODE_IMAGE), `:${kubernetes}.`);
});

test('ci.yml installs the promtool of the Prometheus that is deployed', () => {
  assert.match(read(join(folder, 'ci.yml')), `/cmd/promtool@${prometheusVersion}"`);
});

test('Dependabot watches every folder with dependencies', () => {
  const ecosystems = {
    'package.json': 'npm',
    'go.mod': 'gomod',
    'requirements.txt': 'pip',
    Dockerfile: 'docker',
  };
  const expected = files('').flatMap((path) =>
    Object.entries(ecosystems)
      .filter(([manifest]) => path.endsWith(`/${manifest}`))
      .map(([, ecosystem]) => `${ecosystem} ${dirname(path)}`),
  );
  const { updates } = loadYaml<Dependabot>(read('.github/dependabot.yml'));
  const watched = updates.flatMap(({ directories, 'package-ecosystem': ecosystem }) =>
    directories.map((directory) => `${ecosystem} ${directory}`),
  );
  assert.equal(watched.sort(), [...expected, 'github-actions /'].sort());
});

test.run();

interface Workflow {
  permissions: unknown;
  on: object;
  concurrency: { group: string };
  env?: Record<string, unknown>;
  jobs: Record<
    string,
    {
      permissions?: unknown;
      needs?: string | string[];
      uses?: string;
      'timeout-minutes'?: number;
      steps?: { uses?: string; with?: Record<string, unknown> }[];
    }
  >;
}

interface Dependabot {
  updates: { 'package-ecosystem': string; directories: string[] }[];
}

/** @returns the files below a folder, such as `/load/bench/package.json`, of this repository only */
function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return path;
    return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : files(path);
  });
}
