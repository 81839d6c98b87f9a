import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyPatch } from './apply-patch';

const test = suite<{ folder: string; path: string }>('patch');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'patch-test-'));
  context.path = join(context.folder, 'file');
});

test.after.each(({ folder }) => {
  rmSync(folder, { recursive: true });
});

const patch = `diff --git a/file b/file
index 1..2 100644
--- a/file
+++ b/file
@@ -1,2 +1,3 @@
 one
-two
+$&

+2
@@ -8,2 +9 @@ one
-eight

 nine
`;

test('replaces the lines of each hunk, wherever they are', async ({ folder, path }) => {
  writeFileSync(path, 'zero\none\ntwo\n\neight\n\nnine\n');
  await applyPatch(patch, folder, '// changed\n');
  assert.is(readFileSync(path, 'utf8'), '// changed\nzero\none\n$&\n\n2\n\nnine\n');
});

test('leaves a file alone that has not exactly one place for a hunk', async ({ folder, path }) => {
  for (const text of ['one\n2\n\neight\n\nnine\n', 'one\ntwo\n\none\ntwo\n\neight\n\nnine\n']) {
    writeFileSync(path, text);
    const error = await applyPatch(patch, folder, '').catch((reason: Error) => reason);
    assert.match(
      (error as Error).message,
      /^file does not have these lines exactly once:\none\ntwo/,
    );
    assert.is(readFileSync(path, 'utf8'), text);
  }
});

test.run();
