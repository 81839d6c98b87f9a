import { exampleDocument } from '../common/example-document';
import type { ServerProcess } from '../common/server-process';
import type { WrkRequest } from '../common/wrk';
import type { Contender } from './contenders';

/** A request that is measured. */
export interface Route extends WrkRequest {
  name: 'GET /time' | 'POST /data' | 'GET /data';
  path(contender: Contender): string;
}

/** @param lastId the id of the last document on the page that `GET /data` returns */
export function routes(lastId: string): [time: Route, post: Route, read: Route] {
  const data = ({ paths }: Contender) => paths?.data ?? '/data';
  return [
    {
      name: 'GET /time',
      method: 'GET',
      path: ({ paths }) => paths?.time ?? '/time',
      status: 200,
      substring: '"epochMs":',
    },
    {
      name: 'POST /data',
      method: 'POST',
      path: data,
      status: 201,
      substring: '"id":"',
      body: JSON.stringify(exampleDocument),
    },
    {
      name: 'GET /data',
      method: 'GET',
      path: data,
      status: 200,
      substring: `"next":"${lastId}"`,
    },
  ];
}

export function urlOf({ server, port }: ServerProcess<Contender>, route: Route): string {
  return `http://127.0.0.1:${port}${route.path(server)}`;
}
