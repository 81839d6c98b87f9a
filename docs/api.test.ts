import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startOwnHost } from '../functions/testing/testing';

// Makes the typed client of api.md as it says, checks its types, and runs it against the service.

const run = promisify(execFile);
const root = join(__dirname, '..');
const text = readFileSync(join(__dirname, 'api.md'), 'utf8').split('## Typed client')[1] ?? '';
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1] ?? '';

const folder = mkdtempSync(join(tmpdir(), 'typed-client-test-'));
process.once('exit', () => rmSync(folder, { recursive: true, maxRetries: 5 }));

test('the typed client of api.md can be made, has the right types, and works', async () => {
  const { url, close } = await startOwnHost();
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const here = (code: string) => code.replaceAll('http://localhost:8080', url);
    const [, command = ''] = /^npx (openapi-typescript .*)$/m.exec(block('sh')) ?? [];
    await run('sh', ['-c', `node_modules/.bin/${here(command)}`], { cwd: folder });

    const client = block('ts');
    writeFileSync(join(folder, 'client.ts'), here(client));
    writeFileSync(join(folder, 'wrong.ts'), here(client).replace('data.id', 'data.name'));
    const options =
      '--strict --skipLibCheck --target es2022 --module node20 --outDir out --pretty false';
    const files = ['client.ts', 'wrong.ts'];
    const tsc = [join(root, 'node_modules/.bin/tsc'), ...options.split(' '), ...files];
    const errors = await run(process.execPath, tsc, { cwd: folder }).catch(({ stdout }) => stdout);
    assert.match(errors, /^wrong\.ts.*Property 'name' does not exist on type .*\n$/);

    const { stdout } = await run(process.execPath, ['out/client.js'], { cwd: folder });
    assert.match(stdout, /^[\da-f-]{36} \d{4}-\d\d-\d\dT[\d:.]{12}Z\n$/);
  } finally {
    await close();
  }
});

test.run();
