import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A control group with the limits of a pod, for one process. */
export interface PodCgroup {
  /** A command that enters the group before it becomes `command`. */
  wrap(command: string[]): string[];
  /** Memory usage, in bytes. */
  usage(): number;
  /** Peak memory usage, in bytes. */
  peak(): number;
  /**
   * Peak size of its socket buffers in the kernel, in bytes. In version 2 that is part of `usage` and
   * `peak`, and counts against the limit; version 1 counts it separately.
   */
  socketPeak(): number;
  /** Whether the kernel killed a process in it for exceeding the memory limit. */
  wasOomKilled(): boolean;
  /** Removes the group; its process must have exited. */
  remove(): Promise<void>;
}

const root = '/sys/fs/cgroup';
const periodUs = 100_000;
/** Gives the process priority over its clients, as if they ran on another machine. */
const weight = { version1: ['cpu.shares', 8192], version2: ['cpu.weight', 800] } as const;

let count = 0;

interface PodLimits {
  memoryBytes: number;
  /** Such as 0.5. */
  cores: number;
}

/** @throws Error of one line where control groups can't be created */
export function createPodCgroup(limits: PodLimits): PodCgroup {
  const name = `limits-${process.pid}-${count++}`;
  try {
    return existsSync(join(root, 'cgroup.controllers'))
      ? version2(join(root, name), limits)
      : version1(name, limits);
  } catch (error) {
    throw new Error(`Creating a control group failed (this needs Linux and root): ${error}`);
  }
}

function version2(folder: string, { memoryBytes, cores }: PodLimits): PodCgroup {
  writeFileSync(join(root, 'cgroup.subtree_control'), '+memory +cpu');
  mkdirSync(folder);
  const { read, write } = filesOf(folder);
  write('memory.max', memoryBytes);
  if (existsSync(join(folder, 'memory.swap.max'))) write('memory.swap.max', 0);
  write('cpu.max', `${cores * periodUs} ${periodUs}`);
  write(...weight.version2);
  read('memory.peak'); // since Linux 5.19
  return {
    wrap: (command) => wrapCommand([folder], command),
    usage: () => Number(read('memory.current')),
    peak: () => Number(read('memory.peak')),
    socketPeak: () => 0,
    wasOomKilled: () => !/^oom_kill 0$/m.test(read('memory.events')),
    remove: () => remove([folder]),
  };
}

function version1(name: string, { memoryBytes, cores }: PodLimits): PodCgroup {
  const [memory, cpu] = [join(root, 'memory', name), join(root, 'cpu', name)];
  mkdirSync(memory);
  mkdirSync(cpu);
  const { read, write } = filesOf(memory);
  write('memory.limit_in_bytes', memoryBytes);
  write('memory.kmem.tcp.limit_in_bytes', 2 ** 40); // turns accounting on
  const { write: writeCpu } = filesOf(cpu);
  writeCpu('cpu.cfs_period_us', periodUs);
  writeCpu('cpu.cfs_quota_us', cores * periodUs);
  writeCpu(...weight.version1);
  return {
    wrap: (command) => wrapCommand([memory, cpu], command),
    usage: () => Number(read('memory.usage_in_bytes')),
    peak: () => Number(read('memory.max_usage_in_bytes')),
    socketPeak: () => Number(read('memory.kmem.tcp.max_usage_in_bytes')),
    wasOomKilled: () => !/^oom_kill 0$/m.test(read('memory.oom_control')),
    remove: () => remove([memory, cpu]),
  };
}

function filesOf(folder: string) {
  return {
    read: (file: string) => readFileSync(join(folder, file), 'utf8'),
    write: (file: string, value: string | number) => writeFileSync(join(folder, file), `${value}`),
  };
}

function wrapCommand(folders: string[], command: string[]): string[] {
  const enter = folders.map((folder) => `echo $$ >${folder}/cgroup.procs && `).join('');
  return ['sh', '-c', `${enter}exec "$0" "$@"`, ...command];
}

/** Retries: a group stays busy for a moment after its process has exited. */
async function remove(folders: string[]): Promise<void> {
  for (const folder of folders) {
    for (let tries = 0; ; tries++) {
      try {
        rmdirSync(folder);
        break;
      } catch (error) {
        if (tries === 100) throw error;
        await sleep(50);
      }
    }
  }
}
