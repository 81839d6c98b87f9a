import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Script } from 'node:vm';
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundles, runService } from './bundle';

const dist = join(__dirname, '../../dist');
const imageOptions = '--max-semi-space-size=2';

/** Whether V8 takes the code of the bundles, in a new process: in this one a test may have set options of V8. */
function isTaken(folder: string, options: string): boolean {
  const args = [join(folder, 'compile.js'), 'check'];
  const env = { ...process.env, NODE_OPTIONS: options };
  return spawnSync(process.execPath, args, { env }).status === 0;
}

test('V8 takes the code of the build, but not with other options', () => {
  assert.ok(isTaken(dist, ''));
  assert.not.ok(isTaken(dist, imageOptions));
});

test.run();

const copies = suite<{ folder: string }>('copies of the bundles');

copies.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
copies.after.each(({ folder }) => rmSync(folder, { recursive: true }));

copies('are compiled to the same code each time, which V8 takes', ({ folder }) => {
  const node = (...args: string[]) =>
    execFileSync(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: imageOptions },
      encoding: 'utf8',
    });
  const compile = () => {
    node('--predictable', 'compile.js');
    return bundles.map((name) => readFileSync(join(folder, `${name}.cache`)));
  };
  for (const name of ['compile.js', ...bundles]) copyFileSync(join(dist, name), join(folder, name));
  const code = compile();
  assert.equal(compile(), code);
  assert.ok(isTaken(folder, imageOptions));
});

const code = {
  'service.js': "module.exports = require('./libraries')",
  'libraries.js': "exports.joined = require('node:path').join(__dirname, 'a')",
};

/**
 * Writes the bundles as the build does, and runs them.
 *
 * @param folder a new one each time, as V8 keeps the code of a file that it has compiled before
 * @param cached what to write into the files beside them
 */
function run(folder: string, cached: Map<string, Buffer>): Map<string, Script> {
  mkdirSync(folder);
  for (const [name, text] of Object.entries(code)) {
    const parameters = 'exports, require, module, __filename, __dirname';
    writeFileSync(join(folder, name), `(function (${parameters}) {${text}})`);
  }
  for (const [name, bytes] of cached) writeFileSync(join(folder, `${name}.cache`), bytes);
  const module = { exports: {} };
  const scripts = runService(folder, module, require);
  assert.equal(module.exports, { joined: join(folder, 'a') });
  return scripts;
}

const rejected = (scripts: Map<string, Script>) =>
  [...scripts.values()].map(({ cachedDataRejected }) => cachedDataRejected);

copies('run without code, and with the code of an earlier run', ({ folder }) => {
  const first = run(join(folder, 'first'), new Map());
  assert.equal(rejected(first), [undefined, undefined]);
  const cached = [...first].map(([name, script]) => [name, script.createCachedData()] as const);
  assert.equal(rejected(run(join(folder, 'second'), new Map(cached))), [false, false]);
});

copies('run with code that V8 rejects', ({ folder }) => {
  const cached = new Map([['libraries.js', Buffer.from('of another version')]]);
  assert.equal(rejected(run(join(folder, 'first'), cached)), [undefined, true]);
});

copies.run();
