import uvu = require('uvu');

// uvu, made to tell the truth; preloaded by `uvu -r`. By itself it drops what `before` and `after.each`
// throw, ends at what `after` throws, and takes a file that runs no suite for one that passed.

type Test = uvu.Test<object>;
type Hook = uvu.Callback<object>;

const own = uvu as { suite: unknown; test: unknown; exec: unknown };
const { suite, exec } = uvu;

const ends: (() => Promise<void>)[] = [];
let failed = false;

/** Has something done when all tests are over, whether they passed or not. */
export function atEnd(end: () => Promise<void>): void {
  ends.push(end);
}

own.suite = (...args: Parameters<typeof suite<object>>) => loud(suite(...args));
loud(uvu.test as Test);

own.exec = async (bail?: boolean) => {
  const queue = (globalThis as { UVU_QUEUE?: [string | null, ...unknown[]][] }).UVU_QUEUE ?? [];
  for (const [file, ...runs] of queue) {
    if (file !== null && runs.length === 0) fail(`${file} ran no test: does it call test.run()?`);
  }
  await exec(bail);
  for (const end of ends) await end().catch(fail);
  if (failed) process.exitCode = 1;
};

/** Has a suite's hooks tell what they throw; without its `before`, none of its tests runs. */
function loud(test: Test): Test {
  const { before, after } = test;
  const rethrow = (error: unknown) => {
    throw error;
  };
  test.before = Object.assign(telling(before, rethrow), { each: before.each });
  test.after = Object.assign(telling(after), { each: telling(after.each) });
  return test;
}

function telling(add: (hook: Hook) => void, then?: (error: unknown) => void) {
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

function fail(what: unknown): void {
  failed = true;
  console.error(what);
}
