import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('interruption');

const program = `
  const { setTimeout: sleep } = require('node:timers/promises');
  const { interruption } = require('./load/common/interruption');
  const { exitAfter } = require('./load/common/exit');
  async function main() {
    console.log('waiting');
    try {
      await sleep(600_000, undefined, { signal: interruption });
    } finally {
      console.log('put back');
    }
  }
  exitAfter(main());`;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${name} ends what waits, and it is put back`, async () => {
    const args = ['-r', 'ts-node/register/transpile-only', '-e', program];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(child, 'close');
    const output: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      output.push(line);
      if (line === 'waiting') child.kill(name);
    });
    child.stderr.on('data', (text) => output.push(String(text).trim()));
    assert.equal(await exited, [1, null]);
    assert.equal(output.sort(), ['The operation was aborted', 'put back', 'waiting']);
  });
}

test.run();
