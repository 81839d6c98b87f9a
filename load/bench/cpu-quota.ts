import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const periodUs = 100_000;

/**
 * Creates a control group with a CPU quota; it is removed when this process exits.
 *
 * @param cores that its processes share, such as 0.5
 * @returns its folder
 * @throws Error on other systems than Linux, or without the permission
 */
export function createCpuQuota(cores: number): string {
  const isVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const folder = join(isVersion2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu', `bench-${process.pid}`);
  const quotaUs = cores * periodUs;
  mkdirSync(folder);
  process.on('exit', () => {
    try {
      rmdirSync(folder);
    } catch {
      // busy while a process in it exits; an empty group does no harm
    }
  });
  if (isVersion2) {
    writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${periodUs}`);
  } else {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), `${periodUs}`);
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), `${quotaUs}`);
  }
  return folder;
}
