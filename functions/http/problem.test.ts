import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { statuses } from './problem';

const root = join(__dirname, '../..');

test('the documents list every type of problem', () => {
  const sources = readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(root, 'functions', name), 'utf8'));
  const used = [...sources.join('\n').matchAll(/new Problem\(\s*'([\w-]+)'/g)].map(
    ([, type]) => type as string,
  );
  assert.ok(used.length > 10);
  const documents = ['README.md', 'docs/api.md']
    .map((name) => join(root, name))
    .filter(existsSync)
    .map((name) => readFileSync(name, 'utf8'));
  const types = new Set([...Object.keys(statuses), ...used]);
  const unlisted = [...types].filter((type) => !documents.join('\n').includes(`\`${type}\``));
  assert.equal(unlisted, []);
});

test.run();
