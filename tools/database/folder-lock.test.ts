import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withLock } from './folder-lock';

const test = suite<{ directory: string }>('lock');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'lock-test-'));
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

test('admits one holder at a time, also after a failure', async ({ directory }) => {
  let inside = 0;
  const together: number[] = [];
  const enter = () =>
    withLock(directory, async () => {
      together.push(++inside);
      await sleep(5);
      inside--;
      throw new Error();
    });
  await Promise.allSettled([enter(), enter(), enter()]);
  assert.equal(together, [1, 1, 1]);
  assert.equal(readdirSync(directory), []);
});

test('takes over the lock of a process that was killed', async ({ directory }) => {
  const gone = JSON.stringify({ pid: process.pid, start: 'long ago' });
  writeFileSync(join(directory, 'lock'), gone);
  assert.is(await withLock(directory, async () => 'done'), 'done');
});

test.run();
