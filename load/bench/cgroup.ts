import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const periodUs = 100_000;

/**
 * Makes a control group whose processes together get a share of a core, until this process ends.
 *
 * @param cores such as 0.5
 * @returns its folder
 * @throws Error where that needs another user, or another system
 */
export function limitCpu(cores: number): string {
  const version2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const folder = join(version2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu', `bench-${process.pid}`);
  const quotaUs = cores * periodUs;
  mkdirSync(folder);
  process.on('exit', () => {
    try {
      rmdirSync(folder);
    } catch {
      // a process in it is just ending; an empty group does no harm
    }
  });
  if (version2) {
    writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${periodUs}`);
  } else {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), `${periodUs}`);
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), `${quotaUs}`);
  }
  return folder;
}
