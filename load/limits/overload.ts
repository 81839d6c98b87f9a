import { setTimeout as sleep } from 'node:timers/promises';
import { posted } from '../bench/routes';
import { percentile } from '../shared/k6-samples';
import { type Connection, get, open, post } from './connection';
import { startFakeDatabase } from './fake-database';
import { type Limits, type Service, startService } from './service';
import type { OverloadRow } from './table';

export interface OverloadOptions {
  /** How long each rate is offered. */
  seconds: number;
  /** The most that the clients open. */
  connections: number;
}

const small = post(Buffer.from(JSON.stringify(posted)));
const time = get('/time?tz=Asia/Tokyo');
const list = get('/data?limit=50');
/** In turns: of 20 requests 15 ask for the time, four post, and one lists. */
const mix = Array.from({ length: 20 }, (_, n) => (n % 5 === 2 ? small : n === 10 ? list : time));

/** Answers are waited for so long. */
const patienceMs = 15_000;

/** What came of requests. Times are in ms. */
interface Count {
  sent: number;
  /** How much of a core the clients used, while they sent. */
  cores: number;
  good: number[];
  refused: number;
  other: number;
  lost: Record<string, number>;
}

/**
 * Finds the most requests a second that a replica answers when its clients wait for their answers, then
 * offers it once to ten times that, whether it answers or not.
 */
export async function measureOverload(
  limits: Limits,
  options: OverloadOptions,
): Promise<OverloadRow[]> {
  const rows: OverloadRow[] = [];
  const add = (row: OverloadRow) => {
    console.error(JSON.stringify(row));
    rows.push(row);
  };
  const steps: OverloadRow[] = [];
  await withService(limits, async (service) => {
    await closed(service.port, 50, 3); // compiled and connected by then
    for (const clients of [16, 32, 64, 128, 256, 512]) {
      const seconds = 5;
      const count = await closed(service.port, clients, seconds);
      steps.push(rowOf(service, undefined, count.sent / seconds, seconds, count));
    }
  });
  const best = steps.reduce((a, b) => (b.good > a.good ? b : a));
  add(best);
  for (const times of [1, 2, 5, 10]) {
    const { seconds } = options;
    const rate = best.good * times;
    await withService(limits, async (service) => {
      await closed(service.port, 50, 3);
      const count = await offer(service.port, rate, options);
      add(rowOf(service, times, rate, seconds, count));
    });
  }
  return rows;
}

async function withService(limits: Limits, run: (service: Service) => Promise<void>) {
  const given = process.env.MONGODB_URI;
  const database = given ? undefined : await startFakeDatabase(limits.node);
  const service = await startService(limits, given ?? database?.uri ?? '');
  try {
    await run(service);
  } finally {
    await service.stop();
    await database?.stop();
  }
}

function rowOf(
  { group, death }: Service,
  times: number | undefined,
  offered: number,
  seconds: number,
  { sent, good, refused, other, lost, cores }: Count,
): OverloadRow {
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
    peakMiB: Math.round(group.peak() / 2 ** 20),
    clientCores: cores,
    death: death(),
  };
}

/** Clients that wait for each answer. */
async function closed(port: number, clients: number, seconds: number): Promise<Count> {
  const count = emptyCount();
  const until = performance.now() + 1000 * seconds;
  const usage = process.cpuUsage();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      let connection: Connection | undefined;
      while (performance.now() < until) {
        if (!connection?.isUsable()) connection = open(port, patienceMs);
        await ask(connection, count, until);
      }
      connection?.socket.destroy();
    }),
  );
  count.cores = coresSince(usage, seconds);
  return count;
}

/**
 * Requests that come at a rate, and wait for nothing: each takes a connection that is free, or a new one, and
 * when there are no more the request is not sent.
 */
async function offer(
  port: number,
  rate: number,
  { seconds, connections }: OverloadOptions,
): Promise<Count> {
  const count = emptyCount();
  const free: Connection[] = [];
  const busy = new Set<Promise<void>>();
  const begin = performance.now();
  const until = begin + 1000 * seconds;
  const usage = process.cpuUsage();
  let due = 0;
  for (let now = begin; now < until; now = performance.now()) {
    const arrived = Math.floor(((now - begin) / 1000) * rate);
    for (; due < arrived; due++) {
      let connection = free.pop();
      while (connection && !connection.isUsable()) connection = free.pop();
      if (!connection && busy.size >= connections) continue;
      const used = connection ?? open(port, patienceMs);
      const asked = ask(used, count, until).then(() => {
        busy.delete(asked);
        if (used.isUsable()) free.push(used);
      });
      busy.add(asked);
    }
    await sleep(1);
  }
  count.cores = coresSince(usage, seconds);
  await Promise.all(busy);
  for (const { socket } of free) socket.destroy();
  return count;
}

/** @param until when an answer no longer counts for the rate; that there is none still does */
async function ask(connection: Connection, count: Count, until: number): Promise<void> {
  const bytes = mix[count.sent++ % mix.length] ?? time;
  const begin = performance.now();
  try {
    const { status } = await connection.ask(bytes);
    const end = performance.now();
    if (status === 503) count.refused += end < until ? 1 : 0;
    else if (status >= 300) count.other++;
    else if (end < until) count.good.push(end - begin);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    count.lost[code] = (count.lost[code] ?? 0) + 1;
  }
}

function coresSince(usage: NodeJS.CpuUsage, seconds: number): number {
  const { user, system } = process.cpuUsage(usage);
  return (user + system) / 1e6 / seconds;
}

function emptyCount(): Count {
  return { sent: 0, cores: 0, good: [], refused: 0, other: 0, lost: {} };
}
