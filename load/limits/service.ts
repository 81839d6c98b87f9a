import { type Contender, own, root } from '../bench/contenders';
import { type Running, start } from '../bench/processes';
import { type Group, makeGroup } from './cgroup';
import { get, open } from './connection';

export interface Service {
  port: number;
  group: Group;
  /** Why it ended, if it did. */
  death(): string | undefined;
  stop(): Promise<void>;
}

export interface Limits {
  memoryMiB: number;
  cores: number;
  /** The Node.js that it runs on. */
  node: string;
}

/** Starts the built service with the image's settings and a pod's limits, and waits until it is ready. */
export async function startService(
  { memoryMiB, cores, node }: Limits,
  uri: string,
): Promise<Service> {
  const group = makeGroup({ memoryBytes: memoryMiB * 2 ** 20, cores });
  let port = 0;
  const contender: Contender = {
    ...own,
    command: (free) => {
      port = free;
      return group.entering([node, 'dist/main.js']);
    },
    cwd: root,
  };
  const database = /^[^/]+\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? 'limits';
  const running = await start(contender, { uri, database } as Parameters<typeof start>[1]);
  const death = () => deathOf(running, group);
  const service = {
    port,
    group,
    death,
    async stop() {
      await running.stop();
      await group.remove();
    },
  };
  while ((await statusOf(port, '/readyz')) !== 200) {
    const why = death();
    if (why) throw new Error(`The service ended at its start: ${why}`);
  }
  return service;
}

/** @returns undefined when there is no answer within 5 s */
export async function statusOf(port: number, path: string): Promise<number | undefined> {
  const connection = open(port, 5000);
  try {
    return (await connection.ask(get(path))).status;
  } catch {
    return undefined;
  } finally {
    connection.socket.destroy();
  }
}

function deathOf(running: Running, group: Group): string | undefined {
  try {
    running.assertRuns();
    return undefined;
  } catch (error) {
    if (group.ranOut()) return 'killed by the kernel: out of memory';
    const { message } = error as Error;
    // of V8's last words, the ends of the stack are what is left
    if (/^ *\d+: 0x/m.test(message)) return 'the heap ran out';
    return message.replaceAll(/\s+/g, ' ');
  }
}
