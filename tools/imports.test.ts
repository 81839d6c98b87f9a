import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

// The drawing in docs/architecture.md, as rules. A folder stands for the files in it, without those in
// its sub-folders.

const root = join(__dirname, '..');

/** The folders that each folder may import from, besides itself. */
const allowed: Record<string, string[]> = {
  functions: ['auth', 'documents', 'http', 'metrics', 'mongo', 'page', 'runtime', 'tracing'].map(
    (name) => `functions/${name}`,
  ),
  'functions/auth': ['functions/http', 'functions/runtime'],
  'functions/documents': ['functions/http', 'functions/mongo', 'functions/runtime'],
  'functions/http': ['functions/runtime'],
  'functions/metrics': ['auth', 'documents', 'http', 'mongo', 'runtime'].map(
    (name) => `functions/${name}`,
  ),
  'functions/mongo': ['functions/runtime'],
  'functions/page': ['functions/http'],
  'functions/page/client': [],
  'functions/runtime': [],
  'functions/tracing': ['documents', 'http', 'mongo', 'runtime'].map((name) => `functions/${name}`),
  // shared by tests: not part of the image
  'functions/testing': [
    ...['functions', 'functions/http', 'functions/mongo', 'functions/runtime', 'tools'],
  ],
  tools: [
    'functions',
    'functions/auth',
    'functions/runtime',
    'tools/database',
    'tools/network',
    'tools/programs',
  ],
  'tools/admission': ['tools/programs'],
  'tools/database': ['tools/network', 'tools/programs'],
  'tools/network': [],
  'tools/openapi': ['functions', 'functions/http'],
  'tools/programs': [],
  'load/bench': ['functions/documents', 'load/common', 'load/common/charts'],
  'load/chaos': ['load/common', 'tools/database', 'tools/network', 'tools/programs'],
  'load/compare': ['load/common', 'load/common/charts', 'load/common/page'],
  'load/growth': [
    ...['functions/documents', 'load/common', 'load/common/charts', 'load/common/page'],
    'tools/database',
  ],
  'load/limits': ['load/common', 'tools/network'],
  'load/common': ['tools/network', 'tools/programs'],
  'load/common/charts': [],
  'load/common/page': ['load/common/charts'],
  'load/tune': ['load/common', 'load/common/charts', 'load/common/page'],
  'knative/deploy': [],
  'knative/e2e': ['knative/deploy', 'load/chaos'],
};

/** From each folder, the folders that its files import from, tests left out. */
function importsByFolder(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const top of ['functions', 'knative', 'load', 'mongo', 'tools']) {
    for (const name of readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })) {
      const file = join(top, name);
      if (!/(?<!\.test)\.ts$/.test(file) || file.includes('node_modules')) continue;
      const folder = dirname(file);
      const targets = imports.get(folder) ?? new Set();
      imports.set(folder, targets);
      const text = readFileSync(join(root, file), 'utf8');
      for (const [, path = ''] of text.matchAll(/(?:\bfrom|\bimport|require\()\s*'(\.[^']+)'/g)) {
        const target = dirname(join(folder, path));
        if (target !== folder && !/^(\.|node_modules\/.*)$/.test(target)) targets.add(target);
      }
    }
  }
  return imports;
}

const test = suite('imports between folders');

for (const [folder, targets] of importsByFolder()) {
  test(`${folder}/ imports only from the folders below it`, () => {
    assert.ok(allowed[folder], `${folder} is new: add it here and to docs/architecture.md`);
    assert.equal(
      [...targets].filter((target) => !allowed[folder]?.includes(target)),
      [],
    );
  });
}

test('the folders form no circle', () => {
  const done = new Set<string>();
  function visit(folder: string, path: string[]): void {
    assert.not.ok(path.includes(folder), [...path, folder].join(' imports from '));
    if (done.has(folder)) return;
    for (const target of allowed[folder] ?? []) visit(target, [...path, folder]);
    done.add(folder);
  }
  for (const folder of Object.keys(allowed)) visit(folder, []);
});

test.run();
