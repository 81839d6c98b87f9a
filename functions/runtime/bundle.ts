import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** The bundles that run here, by file name. */
export const bundles = ['service.js', 'libraries.js'] as const;

/** What a CommonJS module is given, as far as a bundle uses it. */
type Require = ((id: string) => unknown) & { main?: unknown };
type Module = { exports: object };

/**
 * Runs the service as it was built, with the code that V8 compiled from it in an earlier process
 * (compile.ts), from the files `NAME.cache`. Node's own compile cache is made before a file runs, so it
 * lacks the functions that are called; this one has all
 * (https://nodejs.org/api/vm.html#scriptcreatecacheddata). Without the files, or with another version
 * or other flags of V8, functions are compiled when they are called. V8 compares only the length of the
 * source: whoever changes a bundle has to remove its code, as `npm run bundle:service` does, or the old
 * one runs.
 *
 * @param folder where the bundles are
 * @param module gets the exports of the service
 * @param require loads everything else
 * @returns the scripts that have run, by name; more are added as the service loads them
 */
export function runService(folder: string, module: Module, require: Require): Map<string, Script> {
  const scripts = new Map<string, Script>();

  function run(name: string, module: Module): object {
    const filename = join(folder, name);
    const cachedData = readCode(filename);
    const source = readFileSync(filename, 'utf8');
    const script = new Script(source, { filename, ...(cachedData && { cachedData }) });
    scripts.set(name, script);
    // the build has put `(function (exports, require, …) {` and `})` around it
    script.runInThisContext()(module.exports, requireFrom, module, filename, folder);
    return module.exports;
  }

  const requireFrom: Require = (id) =>
    id === './libraries' ? run('libraries.js', { exports: {} }) : require(id);
  requireFrom.main = require.main;
  run('service.js', module);
  return scripts;
}

function readCode(filename: string): Buffer | undefined {
  try {
    return readFileSync(`${filename}.cache`);
  } catch {
    return undefined;
  }
}
