import { isDeepStrictEqual } from 'node:util';
import { exampleDocument } from '../common/example-document';
import type { ServerProcess } from '../common/server-process';
import { type BenchDatabase, type Item, page } from './bench-database';
import type { Contender } from './contenders';
import { type Route, type Routes, urlOf } from './routes';

interface JsonResponse {
  status: number;
  location: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the server sends
  json: any;
}

const writers = 8;
const writesEach = 5;

/**
 * Checks that a contender responds as all of them must, and that each of several concurrent
 * writers reads its own writes.
 *
 * @returns a line for each fault
 */
export async function checkResponses(
  process: ServerProcess<Contender>,
  { time, zone, post, read }: Routes,
  database: BenchDatabase,
): Promise<string[]> {
  const faults: string[] = [];
  const expect = (correct: boolean, fault: string) => {
    if (!correct) faults.push(`${process.server.name}: ${fault}`);
  };

  await database.reset();
  for (const { route, timezone, offset, offsetMs } of [
    { route: time, timezone: 'UTC', offset: 'Z', offsetMs: 0 },
    { route: zone, timezone: 'Asia/Kolkata', offset: '+05:30', offsetMs: 5.5 * 60 * 60_000 },
  ]) {
    const now = await requestJson(urlOf(process, route), 'GET');
    const { epochMs } = now.json;
    const time = new Date(epochMs + offsetMs).toISOString().replace('Z', offset);
    expect(
      now.status === 200 &&
        Math.abs(epochMs - Date.now()) < 5000 &&
        isDeepStrictEqual(now.json, { time, epochMs, timezone }),
      `${route.name} returned ${JSON.stringify(now)}`,
    );
  }

  const list = await requestJson(urlOf(process, read), 'GET');
  expect(
    list.status === 200 && isDeepStrictEqual(list.json, page),
    'GET /data returned another page',
  );

  const write = async () => {
    for (let n = 0; n < writesEach; n++) {
      const { status, location, json } = await requestJson(
        urlOf(process, post),
        'POST',
        exampleDocument,
      );
      const { id, createdAt } = json;
      expect(
        status === 201 &&
          location === (process.server.paths?.document ?? '/data/') + id &&
          Math.abs(Date.parse(createdAt) - Date.now()) < 60_000 &&
          isDeepStrictEqual(json, { id, createdAt, data: exampleDocument }),
        `POST /data returned ${status} ${location} ${JSON.stringify(json)}`,
      );
      const { items } = (await requestJson(urlOf(process, read), 'GET')).json;
      const found = items?.find((item: Item) => item.id === id);
      expect(
        isDeepStrictEqual(found, json),
        `GET /data did not return a document just posted: ${JSON.stringify(json)}`,
      );
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const acknowledged = writers * writesEach;
  const stored = await database.countWrites();
  expect(stored === acknowledged, `${acknowledged} writes acknowledged, ${stored} stored`);
  return faults;
}

async function requestJson(
  url: string,
  method: Route['method'],
  body?: unknown,
): Promise<JsonResponse> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const { status, headers } = response;
  return { status, location: headers.get('location'), json: await response.json() };
}
