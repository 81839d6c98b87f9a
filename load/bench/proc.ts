import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The CPU time that a process and its descendants have used so far, in seconds. */
export function cpuSeconds(pid: number): number {
  return sum(tree(pid).map((each) => ticks(each, 14, 15)));
}

/** The CPU time of this process's children that have ended, in seconds. */
export function endedChildrenSeconds(): number {
  return ticks(process.pid, 16, 17);
}

/**
 * The memory that a process and its descendants have resident, in MB. What they share counts for
 * each.
 *
 * @param field of proc(5): `VmRSS` is what they have now, `VmHWM` the most that each ever had
 */
export function megabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm');
  const sizes = tree(pid).map((each) =>
    Number(kibibytes.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1] ?? 0),
  );
  return (sum(sizes) * 1024) / 1e6;
}

/** A process and its descendants. */
function tree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [pid, ...(children.match(/\d+/g) ?? []).flatMap((child) => tree(Number(child)))];
}

/** @param fields of a process's `stat`, numbered as in proc(5), that hold clock ticks */
function ticks(pid: number, ...fields: number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the second field, the name, may hold spaces and ends with the last parenthesis
  const fromThird = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return sum(fields.map((field) => Number(fromThird[field - 3]))) / ticksPerSecond;
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
