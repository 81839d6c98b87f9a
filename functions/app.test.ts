import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../package.json';
import { killProcesses, send, startProcess } from './testing/testing';

test.after.each(killProcesses);

for (const [what, given, revision] of [
  ['that the image was built from', '0123456789abcdef0123456789abcdef01234567', undefined],
  ['"unknown" where the service runs from source', '', 'unknown'],
] as const) {
  test(`GET / returns the version, and as the revision ${what}`, async () => {
    const { url } = await startProcess({ REVISION: given });
    const { json } = await send(url);
    assert.is(json.version, version);
    assert.is(json.revision, revision ?? given);
  });
}

test.run();
