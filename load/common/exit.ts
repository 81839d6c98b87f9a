/**
 * Ends this process when its program is done: with the code that it returns, else with `process.exitCode`; if
 * it throws, with `failure`.
 */
export function exitAfter(program: Promise<unknown>, failure = 1): void {
  program.then(
    (code) => (typeof code === 'number' ? process.exit(code) : process.exit()),
    (error: Error) => {
      console.error(error.message);
      process.exit(failure);
    },
  );
}
