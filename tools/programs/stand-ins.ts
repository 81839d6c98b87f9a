import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath } from './program-cache';

// Stand-ins for kubectl, docker and the like, for tests of the scripts that call them: a test run has
// neither a cluster nor a registry, and could not make them fail as a case needs it. They show what a script
// does with an answer, not that the real program would give this answer: `npm run e2e` shows that.

/**
 * What a program answers: shell by patterns of its arguments, in which `*` stands for anything. The
 * first that matches counts. A call that none matches fails, as does one for which a case has no answer.
 */
export type Answers = Record<string, string>;

export interface Machine {
  /** Where answers may keep files; they know it as $HERE. */
  folder: string;
  /** The calls of stand-ins up to now, such as `docker push NAME`. */
  calls(): string[];
  /** A file in `folder`, or nothing if there is none. */
  read(file: string): string;
  /** Runs a program to its end, with nothing on the PATH but the stand-ins and what is ordinary. */
  run(command: string, args?: string[], env?: NodeJS.ProcessEnv, cwd?: string): Result;
  remove(): void;
}

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What scripts may take for granted. */
const ordinary = 'bash cat chmod date dirname echo env grep mkdir mktemp od rm sed tr xargs'.split(
  ' ',
);

/** @param programs the answers of each stand-in, in the order in which they are looked through */
export function machine(programs: Record<string, Answers[]>): Machine {
  const folder = mkdtempSync(join(tmpdir(), 'stand-ins-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ordinary) {
    const path = onPath(name);
    if (path) symlinkSync(path, join(bin, name));
  }
  for (const [name, answers] of Object.entries(programs)) {
    writeFileSync(join(bin, name), standIn(name, answers));
    chmodSync(join(bin, name), 0o700);
  }
  const read = (file: string) => {
    try {
      return readFileSync(join(folder, file), 'utf8');
    } catch {
      return '';
    }
  };
  return {
    folder,
    read,
    calls: () => read('calls').split('\n').slice(0, -1),
    run(command, args = [], env = {}, cwd = folder) {
      const variables = { PATH: bin, HERE: folder, TMPDIR: folder, ...env };
      const options = { cwd, env: variables, encoding: 'utf8', timeout: 60_000 } as const;
      const { status, stdout, stderr, error } = spawnSync(command, args, options);
      if (error) throw error;
      return { code: status, stdout, stderr };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function standIn(name: string, answers: Answers[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const cases = answers
    .flatMap((answer) => Object.entries(answer))
    .map(([pattern, shell]) => `${pattern.split('*').map(quoted).join('*')}) ${shell || ':'} ;;`);
  return `#!${onPath('bash')}
line="${name} $*"
echo "\${line//$'\\n'/ }" >>"$HERE/calls"
case "$*" in
${cases.join('\n')}
*) echo "the stand-in for ${name} has no answer to: $*" >&2; exit 64 ;;
esac
`;
}
