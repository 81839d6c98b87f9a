import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installBenchPackages, isOutdated, runInstaller } from '../common/install';
import { type Contender, peers } from './contenders';

/**
 * Installs and builds what the contenders need, unless it is up to date.
 *
 * @returns those that can run here; for each of the others it prints why not
 * @throws Error when something is missing that all of them need
 */
export function prepare(contenders: Contender[]): Contender[] {
  installBenchPackages();
  const failures = new Map<Contender['toolchain'], string>();
  const builds = [['Python', installFlask] as const, ['Go', buildGoServer] as const];
  for (const [toolchain, build] of builds) {
    try {
      if (contenders.some((contender) => contender.toolchain === toolchain)) build();
    } catch (error) {
      failures.set(toolchain, (error as Error).message.trim());
    }
  }
  return contenders.filter(({ name, toolchain }) => {
    const failure = failures.get(toolchain);
    if (failure) console.error(`skipping ${name}, which needs ${toolchain}: ${failure}`);
    return !failure;
  });
}

function installFlask(): void {
  const flask = join(peers, 'flask');
  const stamp = join(flask, '.venv/installed');
  if (!isOutdated(stamp, join(flask, 'requirements.txt'))) return;
  runInstaller('python3', ['-m', 'venv', '.venv'], flask);
  runInstaller('.venv/bin/pip', ['install', '--quiet', '--requirement=requirements.txt'], flask);
  writeFileSync(stamp, '');
}

function buildGoServer(): void {
  runInstaller('go', ['build', '-o', 'server', '.'], join(peers, 'go'));
}
