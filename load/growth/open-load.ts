import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpConnection, openConnection } from '../common/http-connection';

/** What became of the requests of an open load. */
export interface OpenLoad {
  /** Responses with another status than expected, and requests without a response within 15 s. */
  failed: number;
  /** Latency of each expected response, in ms, from when its request was due. */
  latencies: number[];
  /** Until the last response, and at least as long as requests were sent. */
  seconds: number;
}

const timeoutMs = 15_000;

/**
 * An open model: requests are sent at a constant rate, whether or not earlier ones have a response, to
 * each port in turn. Each uses an idle connection or a new one.
 *
 * @param request its bytes
 * @param status of an expected response
 * @param rate in requests per second
 */
export async function runOpenLoad(
  ports: number[],
  request: Buffer,
  status: number,
  rate: number,
  seconds: number,
): Promise<OpenLoad> {
  const load: OpenLoad = { failed: 0, latencies: [], seconds };
  const targets = ports.map((port) => ({ port, idle: [] as HttpConnection[] }));
  const requests: Promise<void>[] = [];
  const startedAt = performance.now();

  async function send({ port, idle }: (typeof targets)[number], dueAt: number): Promise<void> {
    let connection = idle.pop();
    while (connection && !connection.isUsable()) connection = idle.pop();
    connection ??= openConnection(port, timeoutMs);
    try {
      const response = await connection.request(request);
      if (response.status === status) load.latencies.push(performance.now() - dueAt);
      else load.failed++;
      idle.push(connection);
    } catch {
      load.failed++;
    }
  }

  while (requests.length < rate * seconds) {
    const elapsedMs = performance.now() - startedAt;
    const due = Math.min(rate * seconds, Math.floor((elapsedMs / 1000) * rate) + 1);
    for (let n = requests.length; n < due; n++) {
      const target = targets[n % targets.length] as (typeof targets)[number];
      requests.push(send(target, startedAt + (1000 * n) / rate));
    }
    await sleep(1);
  }
  await Promise.all(requests);
  load.seconds = Math.max(seconds, (performance.now() - startedAt) / 1000);
  for (const { idle } of targets) for (const { socket } of idle) socket.destroy();
  return load;
}
