import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { alone } from './folder-lock';

const test = suite<{ directory: string }>('lock');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'lock-test-'));
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

test('lets in one at a time, also after a failure', async ({ directory }) => {
  let inside = 0;
  const together: number[] = [];
  const enter = () =>
    alone(directory, async () => {
      together.push(++inside);
      await sleep(5);
      inside--;
      throw new Error();
    });
  await Promise.allSettled([enter(), enter(), enter()]);
  assert.equal(together, [1, 1, 1]);
  assert.equal(readdirSync(directory), []);
});

test('takes over from a process that is gone', async ({ directory }) => {
  const gone = JSON.stringify({ pid: process.pid, start: 'long ago' });
  writeFileSync(join(directory, 'lock'), gone);
  assert.is(await alone(directory, async () => 'done'), 'done');
});

test.run();
