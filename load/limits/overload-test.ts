import { setTimeout as sleep } from 'node:timers/promises';
import { exampleDocument } from '../common/example-document';
import { get, type HttpConnection, openConnection, post } from '../common/http-connection';
import { percentile } from '../common/statistics';
import { startFakeMongodb } from './fake-mongodb';
import { type LimitedService, type Limits, startLimitedService } from './limited-service';
import type { OverloadResult } from './limits-report';

export interface OverloadOptions {
  /** How long each rate is offered. */
  seconds: number;
  /** How many connections the clients may open. */
  connections: number;
}

const insert = post(Buffer.from(JSON.stringify(exampleDocument)));
const time = get('/time?tz=Asia/Tokyo');
const list = get('/data?limit=50');
/** The mix of requests, in a fixed order: 15 × GET /time, 4 × POST, 1 × GET /data. */
const mix = Array.from({ length: 20 }, (_, n) => (n % 5 === 2 ? insert : n === 10 ? list : time));

/** How long a client waits for a response. */
const timeoutMs = 15_000;

interface Counts {
  sent: number;
  /** CPU that the clients used while they sent, in cores. */
  cores: number;
  /** The latency of each 2xx response, in ms. */
  good: number[];
  /** 503 responses. */
  refused: number;
  /** Any other response. */
  other: number;
  /** Requests without a response, by error code. */
  lost: Record<string, number>;
}

/**
 * Finds a replica's highest throughput in a closed model, then offers 1, 2, 5 and 10 times that rate
 * in an open model.
 */
export async function testOverload(
  limits: Limits,
  options: OverloadOptions,
): Promise<OverloadResult[]> {
  const results: OverloadResult[] = [];
  const add = (result: OverloadResult) => {
    console.error(JSON.stringify(result));
    results.push(result);
  };
  const steps: OverloadResult[] = [];
  await withService(limits, async (service) => {
    await warmUp(service);
    for (const clients of [16, 32, 64, 128, 256, 512]) {
      const seconds = 5;
      const counts = await runClosedModel(service.port, clients, seconds);
      steps.push(resultOf(service, undefined, counts.sent / seconds, seconds, counts));
    }
  });
  const best = steps.reduce((a, b) => (b.good > a.good ? b : a));
  add(best);
  for (const times of [1, 2, 5, 10]) {
    const { seconds } = options;
    const rate = best.good * times;
    await withService(limits, async (service) => {
      await warmUp(service);
      const counts = await runOpenModel(service.port, rate, options);
      add(resultOf(service, times, rate, seconds, counts));
    });
  }
  return results;
}

/** Runs until the code is compiled and the connection pool is filled. */
async function warmUp({ port }: LimitedService): Promise<void> {
  await runClosedModel(port, 50, 3);
}

async function withService(limits: Limits, run: (service: LimitedService) => Promise<void>) {
  const configuredUri = process.env.MONGODB_URI;
  const fake = configuredUri ? undefined : await startFakeMongodb(limits.node);
  const service = await startLimitedService(limits, configuredUri ?? fake?.uri ?? '');
  try {
    await run(service);
  } finally {
    await service.stop();
    await fake?.stop();
  }
}

function resultOf(
  { cgroup, death }: LimitedService,
  times: number | undefined,
  offered: number,
  seconds: number,
  { sent, good, refused, other, lost, cores }: Counts,
): OverloadResult {
  return {
    times,
    offered,
    delivered: sent / seconds,
    good: good.length / seconds,
    refused: refused / seconds,
    other,
    lost,
    p50: percentile(good, 50) ?? Number.NaN,
    p95: percentile(good, 95) ?? Number.NaN,
    peakMiB: Math.round(cgroup.peak() / 2 ** 20),
    clientCores: cores,
    death: death(),
  };
}

/** A closed model: each client waits for its response before it sends the next request. */
async function runClosedModel(port: number, clients: number, seconds: number): Promise<Counts> {
  const counts = emptyCounts();
  const endsAt = performance.now() + 1000 * seconds;
  const usage = process.cpuUsage();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      let connection: HttpConnection | undefined;
      while (performance.now() < endsAt) {
        if (!connection?.isUsable()) connection = openConnection(port, timeoutMs);
        await sendNext(connection, counts, endsAt);
      }
      connection?.socket.destroy();
    }),
  );
  counts.cores = coresSince(usage, seconds);
  return counts;
}

/**
 * An open model: requests arrive at a constant rate, whether or not earlier ones have a response. Each
 * uses an idle connection or a new one; it is dropped when the limit of connections is reached.
 */
async function runOpenModel(
  port: number,
  rate: number,
  { seconds, connections }: OverloadOptions,
): Promise<Counts> {
  const counts = emptyCounts();
  const idle: HttpConnection[] = [];
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();
  const endsAt = startedAt + 1000 * seconds;
  const usage = process.cpuUsage();
  let handled = 0;
  for (let now = startedAt; now < endsAt; now = performance.now()) {
    const arrived = Math.floor(((now - startedAt) / 1000) * rate);
    for (; handled < arrived; handled++) {
      let reused = idle.pop();
      while (reused && !reused.isUsable()) reused = idle.pop();
      if (!reused && inFlight.size >= connections) continue;
      const connection = reused ?? openConnection(port, timeoutMs);
      const done = sendNext(connection, counts, endsAt).then(() => {
        inFlight.delete(done);
        if (connection.isUsable()) idle.push(connection);
      });
      inFlight.add(done);
    }
    await sleep(1);
  }
  counts.cores = coresSince(usage, seconds);
  await Promise.all(inFlight);
  for (const { socket } of idle) socket.destroy();
  return counts;
}

/** @param endsAt after which a response no longer counts towards a rate; errors always count */
async function sendNext(connection: HttpConnection, counts: Counts, endsAt: number): Promise<void> {
  const bytes = mix[counts.sent++ % mix.length] ?? time;
  const sentAt = performance.now();
  try {
    const { status } = await connection.request(bytes);
    const now = performance.now();
    if (status === 503) counts.refused += now < endsAt ? 1 : 0;
    else if (status >= 300) counts.other++;
    else if (now < endsAt) counts.good.push(now - sentAt);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    counts.lost[code] = (counts.lost[code] ?? 0) + 1;
  }
}

function coresSince(usage: NodeJS.CpuUsage, seconds: number): number {
  const { user, system } = process.cpuUsage(usage);
  return (user + system) / 1e6 / seconds;
}

function emptyCounts(): Counts {
  return { sent: 0, cores: 0, good: [], refused: 0, other: 0, lost: {} };
}
