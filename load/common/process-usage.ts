import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { sum } from './statistics';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time used by a process and its descendants so far, in seconds. */
export function cpuSeconds(pid: number): number {
  return sum(withDescendants(pid).map((each) => clockSeconds(each, 14, 15)));
}

/** CPU time used by this process's children that have exited, in seconds. */
export function exitedChildrenCpuSeconds(): number {
  return clockSeconds(process.pid, 16, 17);
}

/** CPU time that the hypervisor has given to others since this machine started, in seconds. */
export function stolenSeconds(): number {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [, , , , , , , , stolen] = total.split(/ +/); // see proc(5)
  return Number(stolen) / ticksPerSecond;
}

/**
 * Resident memory of a process and its descendants, in MB. Shared pages count once per process.
 *
 * @param field of proc(5): `VmRSS` is the current size, `VmHWM` the peak
 */
export function residentMegabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm');
  const sizes = withDescendants(pid).map((each) =>
    Number(kibibytes.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1] ?? 0),
  );
  return (sum(sizes) * 1024) / 1e6;
}

/** The ids of a process and of its descendants. */
function withDescendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [
    pid,
    ...(children.match(/\d+/g) ?? []).flatMap((child) => withDescendants(Number(child))),
  ];
}

/** Sums up fields of a process's `stat`, numbered as in proc(5), that count clock ticks. */
function clockSeconds(pid: number, ...fields: number[]): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the second field, the name, may contain spaces and ends at the last parenthesis
  const fromThird = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return sum(fields.map((field) => Number(fromThird[field - 3]))) / ticksPerSecond;
}
