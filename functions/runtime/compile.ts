import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { bundles } from './bundle';

// `node compile.js` in the folder of the bundles: saves the code that V8 compiles from all their
// functions, for runService. With --predictable it is the same each time. `node compile.js check` fails
// if V8 does not take that code in a process with these options.

const files = bundles.map((name) => join(__dirname, name));

function compile(): void {
  setFlagsFromString('--no-lazy');
  const scripts = files.map((filename) => {
    return { filename, script: new Script(readFileSync(filename, 'utf8'), { filename }) };
  });
  // back to the default: V8 takes code only from a process with the same flags
  setFlagsFromString('--lazy');
  for (const { filename, script } of scripts) {
    writeFileSync(`${filename}.cache`, script.createCachedData());
  }
}

function check(): void {
  for (const filename of files) {
    const cachedData = readFileSync(`${filename}.cache`);
    const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
    if (script.cachedDataRejected) throw new Error(`V8 rejects the code in ${filename}.cache`);
  }
}

if (process.argv[2] === 'check') check();
else compile();
