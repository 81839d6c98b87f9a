import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { loadYaml } from '@kubernetes/client-node';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

// How the scripts read secrets. What they are made for, mongodump and a pod with mongosh, is not at
// hand here, so that stubs take its place and tell what they were given.

const passwords = [
  's3cret',
  ' blank ',
  `quotes'"\`$(id)\${HOME}\\n\\`,
  '#: {%} @/?&',
  '--help',
  'grüße 🗝',
];

const test = suite<{ folder: string }>('secrets in scripts');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'secrets-test-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

test('mongodump and mongorestore get the password as it is', ({ folder }) => {
  const script = readFileSync(join(__dirname, 'backup/login.sh'), 'utf8')
    .replaceAll('/tmp/login.yaml', join(folder, 'login.yaml'))
    .replaceAll('/run/secrets/root', folder);
  writeFileSync(join(folder, 'username'), 'root user\n');
  for (const password of passwords) {
    writeFileSync(join(folder, 'password'), `${password}\n\n`);
    const output = execFileSync('bash', ['-euc', `${script}\nprintf '%s\\n' "\${login[@]}"`], {
      encoding: 'utf8',
      env: { ...process.env, MONGO_HOST: 'db', MONGO_PORT: '27017' },
    });
    assert.equal(loadYaml(readFileSync(join(folder, 'login.yaml'), 'utf8')), { password });
    assert.ok(output.split('\n').includes('--username=root user'));
    assert.not.ok(output.includes(password));
  }
});

test('documents are moved either way, with no password in an argument', ({ folder }) => {
  const uri = 'mongodb://databaseAdmin:p%40ss%2F@mongo-rs-rs0-0:27017/?authSource=admin&tls=true';
  const script = readFileSync(join(__dirname, 'replica-set/move.sh'), 'utf8')
    .replace('. "$(dirname "$0")/login.sh"', 'login=(--config=single.yaml)')
    .replaceAll('/tmp/replica-set.yaml', join(folder, 'replica-set.yaml'))
    .replace('/run/secrets/replica-set/', `${folder}/`);
  writeFileSync(join(folder, 'databaseAdmin_rs0_connectionString'), uri);
  for (const name of ['mongodump', 'mongorestore']) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >>'${folder}/calls'\ncat\n`);
    chmodSync(join(folder, name), 0o700);
  }
  const move = (TO: string) => {
    rmSync(join(folder, 'calls'), { force: true });
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      MONGO_DATABASE: 'shop',
      TO,
    };
    execFileSync('bash', ['-c', script], { env, input: '', stdio: ['pipe', 'ignore', 'ignore'] });
    return readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n').sort();
  };
  const [single, replicaSet] = ['--config=single.yaml', `--config=${folder}/replica-set.yaml`];
  const calls = (from: string, to: string) => [
    `mongodump ${from} --db=shop --archive`,
    `mongorestore ${to} --nsInclude=shop.* --archive`,
  ];
  assert.equal(move('replica-set'), calls(single as string, replicaSet as string));
  assert.equal(move('single'), calls(replicaSet as string, single as string));
  assert.throws(() => move('nowhere'));
  assert.equal(loadYaml(readFileSync(join(folder, 'replica-set.yaml'), 'utf8')), {
    uri: `${uri}&tlsCAFile=/run/secrets/replica-set-ca/ca.crt`,
  });
});

/** What mongosh offers to a script in the pod, on a server with these users. */
function server(users: Record<string, string>, secrets: Record<string, string>) {
  const made: unknown[] = [];
  const printed: string[] = [];
  const admin = {
    getSiblingDB: () => admin,
    getUser: (user: string) => (user in users ? { user } : null),
    createUser(user: { user: string; pwd: string }) {
      users[user.user] = user.pwd;
      made.push(user);
    },
  };
  const context: Record<string, unknown> = {
    db: admin,
    Buffer,
    process: { env: { MONGO_DATABASE: 'shop' } },
    require: () => ({ readFileSync: (path: string) => secrets[path] }),
    print: (line: string) => printed.push(line),
    load: () => run(readFileSync(join(__dirname, 'init/create-user.js'), 'utf8')),
    connect(uri: string) {
      const { username, password } = new URL(uri);
      const isIn = users[decodeURIComponent(username)] === decodeURIComponent(password);
      if (username && !isIn) throw Object.assign(new Error('Authentication failed.'), { code: 18 });
      if (!username && Object.keys(users).length > 0) throw new Error('requires authentication');
      return admin;
    },
  };
  const run = (script: string) => runInNewContext(script, context);
  return { made, printed, users, run };
}

const files = (app: string) => ({
  '/run/secrets/root/username': 'root\n',
  '/run/secrets/root/password': `${app}-root\n`,
  '/run/secrets/app/username': 'app\n',
  '/run/secrets/app/password': `${app}\n`,
});

const appUser = (pwd: string) => ({
  user: 'app',
  pwd,
  roles: [{ role: 'readWrite', db: 'shop' }],
});
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test("the first start makes the service's user, with the password as it is", () => {
  const script = readFileSync(join(__dirname, 'init/create-user.js'), 'utf8');
  for (const password of passwords) {
    const { made, run } = server({}, files(password));
    run(script);
    run(script);
    assert.equal(plain(made), [appUser(password)]);
  }
});

/** The script that users.sh gives to mongosh in the pod. */
function usersScript(folder: string): string {
  const kubectl = join(folder, 'kubectl');
  const base64 = Buffer.from('app\n').toString('base64');
  writeFileSync(kubectl, `#!/bin/sh\ncase $* in *' exec '*) cat ;; *) printf ${base64} ;; esac\n`);
  chmodSync(kubectl, 0o700);
  return execFileSync(join(__dirname, 'users.sh'), {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  });
}

test('a deploy makes the users that are missing, and leaves the others', ({ folder }) => {
  const script = usersScript(folder);
  for (const password of passwords) {
    const root = { user: 'root', pwd: `${password}-root`, roles: ['root'] };
    for (const [users, expected] of [
      [{}, [root, appUser(password)]],
      [{ root: root.pwd }, [appUser(password)]],
      [{ root: root.pwd, app: 'of an older Secret' }, []],
    ] as const) {
      const { made, printed, run } = server({ ...users }, files(password));
      run(script);
      assert.equal(plain(made), expected);
      assert.is(printed.length, expected.length);
      assert.not.ok(printed.some((line) => line.includes(password)));
    }
  }
});

test('a root user with another password stays as it is', ({ folder }) => {
  const { made, run } = server({ root: 'other' }, files('s3cret'));
  assert.throws(() => run(usersScript(folder)), 'requires authentication');
  assert.equal(made, []);
});

test.run();
