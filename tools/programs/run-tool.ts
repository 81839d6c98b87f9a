import { type SpawnOptions, spawn } from 'node:child_process';

/** Takes one line for the person who waits. */
export type Say = (line: string) => void;

export interface Work extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** Names the work in progress lines and errors. */
  title: string;
  command: string;
  args: string[];
  say: Say;
  /** Seconds it may take in all. */
  limit: number;
  /** Seconds it may take to its first output; `limit` unless told. */
  firstOutput?: number;
}

const seconds = (count: number) => count * 1000;

/**
 * Runs a program that takes long, quietly but for a line every ten seconds.
 * @returns its standard output
 * @throws Error with its last lines, when it fails or takes longer than it may
 */
export function work(task: Work): Promise<string> {
  const { title, command, args, say, limit, firstOutput = limit, cwd, env } = task;
  return new Promise((done, failed) => {
    const begin = Date.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const progress = setInterval(() => {
      say(`${title}: ${Math.round((Date.now() - begin) / 1000)} s`);
    }, seconds(10));
    const expire = (after: number) =>
      setTimeout(() => {
        end(new Error(`${title}: nothing came of it in ${after} s`));
        child.kill();
      }, seconds(after));
    const total = expire(limit);
    const first = expire(firstOutput);
    const endWithUs = () => child.kill();
    process.once('exit', endWithUs);

    let output = '';
    let errors = '';
    const end = (error?: Error) => {
      clearInterval(progress);
      clearTimeout(total);
      clearTimeout(first);
      process.off('exit', endWithUs);
      if (error) failed(error);
      else done(output);
    };
    const hear = (chunk: string) => {
      clearTimeout(first);
      errors = (errors + chunk).slice(-2000);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      hear(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('error', (error) => end(new Error(`${title}: ${error.message}`)));
    child.once('close', (code) => {
      end(code === 0 ? undefined : new Error(`${title}: ${lastLines(errors)}`));
    });
  });
}

/** @returns the last three lines, as one */
function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ');
}
