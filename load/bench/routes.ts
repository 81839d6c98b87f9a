import { exampleDocument } from '../common/example-document';
import type { ServerProcess } from '../common/server-process';
import type { WrkRequest } from '../common/wrk';
import type { Contender } from './contenders';

/** In the order of the report. */
export const routeNames = ['GET /time', 'GET /time?tz=…', 'POST /data', 'GET /data'] as const;

/** A request that is measured. */
export interface Route extends WrkRequest {
  name: (typeof routeNames)[number];
  path(contender: Contender): string;
}

export type Routes = Record<'time' | 'zone' | 'post' | 'read', Route>;

/** @param lastId the id of the last document on the page that `GET /data` returns */
export function routes(lastId: string): Routes {
  const data = ({ paths }: Contender) => paths?.data ?? '/data';
  return {
    time: {
      name: 'GET /time',
      method: 'GET',
      path: ({ paths }) => paths?.time ?? '/time',
      status: 200,
      substring: '"epochMs":',
    },
    zone: {
      name: 'GET /time?tz=…',
      method: 'GET',
      path: ({ paths }) => `${paths ? `${paths.time}&` : '/time?'}tz=Asia/Kolkata`,
      status: 200,
      substring: '+05:30"',
    },
    post: {
      name: 'POST /data',
      method: 'POST',
      path: data,
      status: 201,
      substring: '"id":"',
      body: JSON.stringify(exampleDocument),
    },
    read: {
      name: 'GET /data',
      method: 'GET',
      path: data,
      status: 200,
      substring: `"next":"${lastId}"`,
    },
  };
}

export function urlOf({ server, port }: ServerProcess<Contender>, route: Route): string {
  return `http://127.0.0.1:${port}${route.path(server)}`;
}
