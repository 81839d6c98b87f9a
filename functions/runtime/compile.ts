import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { bundles } from './bundle';

// `node compile.js` in the folder of the bundles: saves the code that V8 compiles from all their
// functions, for runService. With --predictable it is the same each time.

setFlagsFromString('--no-lazy');
const scripts = bundles.map((name) => {
  const filename = join(__dirname, name);
  return { filename, script: new Script(readFileSync(filename, 'utf8'), { filename }) };
});
// back to the default: V8 takes code only from a process with the same flags
setFlagsFromString('--lazy');
for (const { filename, script } of scripts) {
  writeFileSync(`${filename}.cache`, script.createCachedData());
}
