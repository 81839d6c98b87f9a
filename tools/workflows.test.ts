import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { loadYaml } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { k6Version } from '../load/common/k6';
import { addToCache, cached, onPath } from './programs/program-cache';

const test = suite('workflows');
const run = promisify(execFile);

const root = join(__dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder)).map((name) => join(folder, name));

const actionlintVersion = 'v1.7.12';
const actionlint = `actionlint-${actionlintVersion}`;
const found = onPath('actionlint') ?? cached(actionlint);
const missing = !found && !onPath('go');
if (missing)
  console.error(
    'actionlint needs Go 1.24 or later (https://go.dev/dl), and is skipped unless CI is set',
  );

(missing && !process.env.CI ? test.skip : test)('actionlint finds nothing', async () => {
  const path = found ?? (await addToCache(actionlint, buildActionlint));
  const output = await run(path, ['-no-color', ...workflows], { cwd: root }).catch(
    (error) => error,
  );
  assert.is(output.stdout, '');
  assert.is(output.stderr, '');
});

for (const name of workflows) {
  test(`${name} pins its actions by commit and can only read`, () => {
    const { permissions, jobs } = loadYaml<Workflow>(read(name));
    assert.equal(permissions, { contents: 'read' });
    for (const { permissions, 'timeout-minutes': timeout, steps } of Object.values(jobs)) {
      assert.is(permissions, undefined);
      assert.ok(timeout);
      for (const { uses, with: settings } of steps) {
        if (uses?.startsWith('actions/checkout@'))
          assert.is(settings?.['persist-credentials'], false);
      }
    }
    for (const [line] of read(name).matchAll(/uses:.*/g)) {
      assert.match(line, /^uses: [\w/-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });
}

test('kind.yml has the versions of k6 and Kubernetes that the tests have', () => {
  const { env } = loadYaml<Workflow>(read(join(folder, 'kind.yml')));
  const [, kubernetes] =
    /k8s\.io\/kubernetes (v\d+\.\d+)\./.exec(read('tools/admission/go.mod')) ?? [];
  assert.is(env?.K6, k6Version);
  assert.match(String(env?.NODE_IMAGE), `:${kubernetes}.`);
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
  env?: Record<string, unknown>;
  jobs: Record<
    string,
    {
      permissions?: unknown;
      'timeout-minutes'?: number;
      steps: { uses?: string; with?: Record<string, unknown> }[];
    }
  >;
}

interface Dependabot {
  updates: { 'package-ecosystem': string; directories: string[] }[];
}

async function buildActionlint(path: string): Promise<void> {
  const folder = dirname(path);
  const module = `github.com/rhysd/actionlint/cmd/actionlint@${actionlintVersion}`;
  await run('go', ['install', module], {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '', GOWORK: 'off' },
  });
  await rename(join(folder, 'actionlint'), path);
}

/** @returns the files below a folder, such as `/load/bench/package.json`, of this repository only */
function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return path;
    return entry.name === 'node_modules' || entry.name.startsWith('.') ? [] : files(path);
  });
}
