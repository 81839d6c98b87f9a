import { setTimeout as sleep } from 'node:timers/promises';

import uvu = require('uvu');

// Preloaded by `uvu -r`, to close gaps of uvu: by itself it ignores what `before` and `after.each`
// throw, stops at what `after` throws, passes a file that runs no suite, can skip single tests only, and
// waits for a test that never ends.

type Test = uvu.Test<object>;
type Hook = uvu.Callback<object>;

const own = uvu as { suite: unknown; test: unknown; exec: unknown };
const { suite, exec } = uvu;

const cleanups: (() => Promise<void>)[] = [];
let failed = false;

/** Runs a clean-up after all tests, whether they passed or not. */
export function atEnd(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

/**
 * A suite that needs a program. Where that is missing, one line says what to install, and its tests
 * count as skipped; where CI is set they run nevertheless, and fail.
 *
 * @param missing what has to be installed before the suite can run, if anything
 * @param isOptional whether it is skipped where CI is set, too: for what takes long to install
 */
export function suiteThatNeeds(
  missing: string | undefined,
  name: string,
  isOptional = false,
): Test {
  const test = uvu.suite<object>(name);
  if (!missing || (process.env.CI && !isOptional)) return test;
  console.error(`Skipped: ${name}. To run it, install ${missing}.`);
  const ignored = () => Object.assign(() => {}, { each() {} });
  const skip = () => test.skip();
  const { run } = test;
  return Object.assign(skip, { before: ignored(), after: ignored(), only: skip, skip, run });
}

// The fetch of Node.js 20 can throw this from a timer, long after its connection has gone. No test is at
// fault then.
process.on('uncaughtException', (error) => {
  const isOfFetch = error.message.includes('parser.deref(') && error.stack?.includes('undici');
  if (isOfFetch) return;
  console.error(error);
  process.exit(1);
});

let limitMs: number | undefined;

/** Makes tests fail that take longer, so that one that never ends is named. */
export function limitTests(ms: number): void {
  limitMs = ms;
}

own.suite = (...args: Parameters<typeof suite<object>>) => improve(suite(...args));
own.test = improve(uvu.test as Test);

own.exec = async (bail?: boolean) => {
  const queue = (globalThis as { UVU_QUEUE?: [string | null, ...unknown[]][] }).UVU_QUEUE ?? [];
  for (const [file, ...runs] of queue) {
    if (file !== null && runs.length === 0) fail(`${file} ran no test: does it call test.run()?`);
  }
  await exec(bail);
  for (const cleanup of cleanups) await cleanup().catch(fail);
  if (failed) process.exitCode = 1;
};

function improve(test: Test): Test {
  reportHooks(test);
  return Object.assign((name: string, run: Hook) => test(name, limited(run)), test);
}

function limited(run: Hook): Hook {
  return async (context) => {
    if (limitMs === undefined) return run(context);
    const ended = new AbortController();
    const late = sleep(limitMs, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`did not end within ${limitMs} ms`);
    });
    try {
      await Promise.race([run(context), late]);
    } finally {
      late.catch(() => {});
      ended.abort();
    }
  };
}

/** Makes errors of a suite's hooks fail the run. After one in `before`, none of its tests runs. */
function reportHooks(test: Test): void {
  const { before, after } = test;
  const rethrow = (error: unknown) => {
    throw error;
  };
  test.before = Object.assign(reporting(before, rethrow), { each: before.each });
  test.after = Object.assign(reporting(after), { each: reporting(after.each) });
}

function reporting(add: (hook: Hook) => void, then?: (error: unknown) => void) {
  return (hook: Hook) =>
    add(async (context) => {
      try {
        await hook(context);
      } catch (error) {
        fail(error);
        then?.(error);
      }
    });
}

function fail(error: unknown): void {
  failed = true;
  console.error(error);
}
