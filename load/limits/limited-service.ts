import { builtService } from '../common/built-service';
import { get, openConnection } from '../common/http-connection';
import { type ServerProcess, startServer } from '../common/server-process';
import { createPodCgroup, type PodCgroup } from './pod-cgroup';

/** The service in a control group of its own. */
export interface LimitedService {
  port: number;
  cgroup: PodCgroup;
  /** Why the process died; undefined while it runs. */
  death(): string | undefined;
  stop(): Promise<void>;
}

export interface Limits {
  memoryMiB: number;
  cores: number;
  /** Path of the Node.js to run on. */
  node: string;
}

/**
 * Starts the built service with the settings of the image and the limits of a pod, and waits until
 * it is ready.
 */
export async function startLimitedService(
  { memoryMiB, cores, node }: Limits,
  uri: string,
): Promise<LimitedService> {
  const cgroup = createPodCgroup({ memoryBytes: memoryMiB * 2 ** 20, cores });
  const database = /^[^/]+\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? 'limits';
  const server = { ...builtService, command: () => cgroup.wrap([node, 'dist/main.js']) };
  const process = await startServer(server, { uri, database });
  const death = () => deathOf(process, cgroup);
  while ((await statusOf(process.port, '/readyz')) !== 200) {
    const cause = death();
    if (cause) throw new Error(`The service died at startup: ${cause}`);
  }
  return {
    port: process.port,
    cgroup,
    death,
    async stop() {
      await process.stop();
      await cgroup.remove();
    },
  };
}

/** @returns the status of the response; undefined when there is none within 5 s */
export async function statusOf(port: number, path: string): Promise<number | undefined> {
  const connection = openConnection(port, 5000);
  try {
    return (await connection.request(get(path))).status;
  } catch {
    return undefined;
  } finally {
    connection.socket.destroy();
  }
}

function deathOf(process: ServerProcess, cgroup: PodCgroup): string | undefined {
  try {
    process.assertRunning();
    return undefined;
  } catch (error) {
    if (cgroup.wasOomKilled()) return 'OOM-killed';
    const { message } = error as Error;
    // V8 prints a native stack trace when it aborts
    if (/^ *\d+: 0x/m.test(message)) return 'heap out of memory';
    return message.replaceAll(/\s+/g, ' ');
  }
}
