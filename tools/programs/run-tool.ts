import { type SpawnOptions, spawn } from 'node:child_process';

/** Receives one line of progress for the person at the terminal. */
export type Report = (line: string) => void;

/** A program that takes long, and how long it may take. Times are in seconds. */
export interface Tool extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** What it does, for progress lines and errors. */
  title: string;
  command: string;
  args: string[];
  report: Report;
  /** The longest it may run. */
  timeout: number;
  /** The longest until its first output; `timeout` by default. */
  outputTimeout?: number;
}

/**
 * Runs a program quietly, apart from a progress line every ten seconds.
 *
 * @returns its standard output
 * @throws {Error} with its last lines when it fails, or when it times out
 */
export function runTool(tool: Tool): Promise<string> {
  const { title, command, args, report, timeout, outputTimeout = timeout, cwd, env } = tool;
  return new Promise((resolve, reject) => {
    const begin = Date.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const progress = setInterval(() => {
      report(`${title}: ${Math.round((Date.now() - begin) / 1000)} s`);
    }, 10_000);
    const startTimer = (seconds: number) =>
      setTimeout(() => {
        finish(new Error(`${title}: timed out after ${seconds} s`));
        child.kill();
      }, seconds * 1000);
    const totalTimer = startTimer(timeout);
    const outputTimer = startTimer(outputTimeout);
    const killChild = () => child.kill();
    process.once('exit', killChild);

    let output = '';
    let lastOutput = '';
    const finish = (error?: Error) => {
      clearInterval(progress);
      clearTimeout(totalTimer);
      clearTimeout(outputTimer);
      process.off('exit', killChild);
      if (error) reject(error);
      else resolve(output);
    };
    const onOutput = (chunk: string) => {
      clearTimeout(outputTimer);
      lastOutput = (lastOutput + chunk).slice(-2000);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      onOutput(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', onOutput);
    child.once('error', (error) => finish(new Error(`${title}: ${error.message}`)));
    child.once('close', (code) => {
      finish(code === 0 ? undefined : new Error(`${title}: ${lastLines(lastOutput)}`));
    });
  });
}

/** @returns the last three lines, as one */
function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ');
}
