import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A control group with the limits of a pod, for one process. */
export interface Group {
  /** A command that enters the group before it becomes what it was. */
  entering(command: string[]): string[];
  /** What is charged to it now, in bytes. */
  usage(): number;
  /** The most that was charged to it at any time, in bytes. */
  peak(): number;
  /**
   * The most that its sockets held in the kernel, in bytes. Version 2 has it in `usage` and `peak`, where
   * it counts against the limit; version 1 counts it apart.
   */
  socketPeak(): number;
  /** Whether the kernel killed a process in it for want of memory. */
  ranOut(): boolean;
  /** Removes it, once its process has ended. */
  remove(): Promise<void>;
}

const root = '/sys/fs/cgroup';
const periodUs = 100_000;
/** The process goes before its clients, as if they were on another machine. */
const weight = { version1: ['cpu.shares', 8192], version2: ['cpu.weight', 800] } as const;

let count = 0;

/**
 * @param cores such as 0.5
 * @throws Error of one line where groups can't be made
 */
export function makeGroup(limits: { memoryBytes: number; cores: number }): Group {
  const name = `limits-${process.pid}-${count++}`;
  try {
    return existsSync(join(root, 'cgroup.controllers'))
      ? version2(join(root, name), limits)
      : version1(name, limits);
  } catch (error) {
    throw new Error(`Control groups can't be made here, which needs Linux and root: ${error}`);
  }
}

function version2(folder: string, { memoryBytes, cores }: Parameters<typeof makeGroup>[0]): Group {
  writeFileSync(join(root, 'cgroup.subtree_control'), '+memory +cpu');
  mkdirSync(folder);
  const { read, write } = filesOf(folder);
  write('memory.max', memoryBytes);
  if (existsSync(join(folder, 'memory.swap.max'))) write('memory.swap.max', 0);
  write('cpu.max', `${cores * periodUs} ${periodUs}`);
  write(...weight.version2);
  read('memory.peak'); // since Linux 5.19
  return {
    entering: (command) => entering([folder], command),
    usage: () => Number(read('memory.current')),
    peak: () => Number(read('memory.peak')),
    socketPeak: () => 0,
    ranOut: () => !/^oom_kill 0$/m.test(read('memory.events')),
    remove: () => remove([folder]),
  };
}

function version1(name: string, { memoryBytes, cores }: Parameters<typeof makeGroup>[0]): Group {
  const [memory, cpu] = [join(root, 'memory', name), join(root, 'cpu', name)];
  mkdirSync(memory);
  mkdirSync(cpu);
  const { read, write } = filesOf(memory);
  write('memory.limit_in_bytes', memoryBytes);
  write('memory.kmem.tcp.limit_in_bytes', 2 ** 40); // turns the counting on
  const { write: writeCpu } = filesOf(cpu);
  writeCpu('cpu.cfs_period_us', periodUs);
  writeCpu('cpu.cfs_quota_us', cores * periodUs);
  writeCpu(...weight.version1);
  return {
    entering: (command) => entering([memory, cpu], command),
    usage: () => Number(read('memory.usage_in_bytes')),
    peak: () => Number(read('memory.max_usage_in_bytes')),
    socketPeak: () => Number(read('memory.kmem.tcp.max_usage_in_bytes')),
    ranOut: () => !/^oom_kill 0$/m.test(read('memory.oom_control')),
    remove: () => remove([memory, cpu]),
  };
}

function filesOf(folder: string) {
  return {
    read: (file: string) => readFileSync(join(folder, file), 'utf8'),
    write: (file: string, value: string | number) => writeFileSync(join(folder, file), `${value}`),
  };
}

function entering(folders: string[], command: string[]): string[] {
  const enter = folders.map((folder) => `echo $$ >${folder}/cgroup.procs && `).join('');
  return ['sh', '-c', `${enter}exec "$0" "$@"`, ...command];
}

/** A group counts as busy until the process that ended is wholly gone. */
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
