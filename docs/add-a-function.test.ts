import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { onPath } from '../tools/programs/program-cache';
import { suiteThatNeeds } from '../tools/uvu';

// Follows add-a-function.md word by word, in a copy of the repository: creates and edits the files as
// its code blocks say, runs its commands, and compares what curl prints.

const root = join(__dirname, '..');
const text = readFileSync(join(__dirname, 'add-a-function.md'), 'utf8');

interface Block {
  language: string;
  /** The file named last before the block. */
  file: string;
  code: string;
}

const blocks: Block[] = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => {
  const [, language = '', code = ''] = match;
  const files = [...text.slice(0, match.index).matchAll(/`([\w/.-]+\.ts)`/g)];
  return { language, file: files.at(-1)?.[1] ?? '', code };
});
const blocksIn = (language: string) => blocks.filter((block) => block.language === language);

const missing = onPath('curl') ? undefined : 'curl (https://curl.se)';
const test = suiteThatNeeds(missing, 'docs/add-a-function.md');

const copy = mkdtempSync(join(tmpdir(), 'add-a-function-test-'));
process.once('exit', () => rmSync(copy, { recursive: true, maxRetries: 5 }));

test.before(() => {
  const left = ['node_modules', 'dist', 'coverage', '.git', '.data'];
  for (const name of readdirSync(root).filter((name) => !left.includes(name))) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !path.endsWith('node_modules'),
    });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  undo();
});

/** Takes back what the page says, in case that it was followed in the repository itself. */
function undo(): void {
  for (const { file } of blocksIn('ts')) rmSync(join(copy, file), { force: true });
  for (const { file, code } of blocksIn('diff')) {
    const path = join(copy, file);
    const added = code.split('\n').filter((line) => line.startsWith('+'));
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, lines.filter((line) => !added.includes(`+${line}`)).join('\n'));
  }
}

test('its files can be created', () => {
  const created = blocksIn('ts');
  assert.equal(
    created.map(({ file }) => file),
    ['functions/notes.ts', 'functions/notes.test.ts'],
  );
  for (const { file, code } of created) writeFileSync(join(copy, file), code);
});

test('its edits can be made', () => {
  const edits = blocksIn('diff');
  assert.is(edits.length, 2);
  for (const { file, code } of edits) {
    const lines = code.trimEnd().split('\n');
    const side = (sign: string) =>
      lines
        .filter((line) => line.startsWith(' ') || line.startsWith(sign))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const path = join(copy, file);
    const before = readFileSync(path, 'utf8');
    assert.is(before.split(side('-')).length, 2, `${file} has this once:\n${side('-')}`);
    writeFileSync(path, before.replace(side('-'), side('+')));
  }
});

for (const command of blocksIn('sh').flatMap(({ code }) => code.trim().split('\n'))) {
  test(command, async () => {
    const { CI: _, ...env } = process.env;
    await promisify(execFile)('sh', ['-c', command], { cwd: copy, env }).catch((error) => {
      throw new Error(`${command}:\n${error.stdout}\n${error.stderr}`);
    });
  });
}

test('its requests get the answers that it shows', async () => {
  const service = spawn(process.execPath, ['dist/main.js'], {
    cwd: copy,
    env: { ...process.env, PORT: '0', DRAIN_DELAY_MS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(service, 'exit');
  try {
    const lines = createInterface(service.stdout)[Symbol.asyncIterator]();
    const { port } = JSON.parse((await lines.next()).value ?? '{}');
    for (const { code } of blocksIn('console')) {
      for (const [, command = '', shown] of code.matchAll(/^\$ (.*)\n((?:[^$].*\n)*)/gm)) {
        const here = command.replaceAll('localhost:8080', `127.0.0.1:${port}`);
        const { stdout } = await promisify(execFile)('sh', [
          '-c',
          here.replace('curl', 'curl -sS'),
        ]);
        assert.is(stdout, shown?.trimEnd(), command);
      }
    }
  } finally {
    service.kill();
    await exited;
  }
});

test.run();
