import { isDeepStrictEqual } from 'node:util';
import { page, type Store } from './collection';
import type { Running } from './processes';
import { type Item, posted, type Route } from './routes';

interface Answer {
  status: number;
  location: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came
  json: any;
}

export async function ask(url: string, method: Route['method'], body?: unknown): Promise<Answer> {
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

/**
 * Checks that a contender answers as all of them shall, and that whoever was told that a write is
 * done finds it, with others writing at the same time.
 *
 * @returns what is wrong, a line each
 */
export async function checkAnswers(
  { contender, url }: Running,
  [time, post, read]: readonly [Route, Route, Route],
  store: Store,
): Promise<string[]> {
  const faults: string[] = [];
  const expect = (right: boolean, what: string) => {
    if (!right) faults.push(`${contender.name}: ${what}`);
  };

  await store.reset();
  const told = await ask(url(time), 'GET');
  const { epochMs } = told.json;
  expect(
    told.status === 200 &&
      Math.abs(epochMs - Date.now()) < 5000 &&
      isDeepStrictEqual(told.json, {
        time: new Date(epochMs).toISOString(),
        epochMs,
        timezone: 'UTC',
      }),
    `GET /time answers ${JSON.stringify(told)}`,
  );

  const got = await ask(url(read), 'GET');
  expect(got.status === 200 && isDeepStrictEqual(got.json, page), 'GET /data answers another page');

  const writer = async () => {
    for (let n = 0; n < 5; n++) {
      const { status, location, json } = await ask(url(post), 'POST', posted);
      const { id, createdAt } = json;
      expect(
        status === 201 &&
          location === `/data/${id}` &&
          Math.abs(Date.parse(createdAt) - Date.now()) < 60_000 &&
          isDeepStrictEqual(json, { id, createdAt, data: posted }),
        `POST /data answers ${status} ${location} ${JSON.stringify(json)}`,
      );
      const { items } = (await ask(url(read), 'GET')).json;
      const found = items?.find((item: Item) => item.id === id);
      expect(
        isDeepStrictEqual(found, json),
        `what was written is not read: ${JSON.stringify(json)}`,
      );
    }
  };
  const writers = 8;
  await Promise.all(Array.from({ length: writers }, writer));
  const written = await store.written();
  expect(written === writers * 5, `${writers * 5} writes were acknowledged, ${written} are stored`);
  return faults;
}
