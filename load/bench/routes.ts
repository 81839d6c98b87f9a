import type { ServerProcess } from '../common/server-process';
import type { Contender } from './contenders';

/** A request that is measured, and how to recognize a correct response to it. */
export interface Route {
  name: 'GET /time' | 'POST /data' | 'GET /data';
  method: 'GET' | 'POST';
  path(contender: Contender): string;
  status: number;
  /** A substring of every correct body. */
  substring: string;
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
    { name: 'POST /data', method: 'POST', path: data, status: 201, substring: '"id":"' },
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
