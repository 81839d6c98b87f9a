import type { Contender } from './contenders';

/** One of the requests that are measured, and what tells a right answer to it. */
export interface Route {
  name: 'GET /time' | 'POST /data' | 'GET /data';
  method: 'GET' | 'POST';
  path(contender: Contender): string;
  status: number;
  /** A part of every right body. */
  part: string;
}

/** A document as clients see it. */
export interface Item {
  id: string;
  createdAt: string;
  data: unknown;
}

export const posted = {
  user: 'ada',
  items: [{ sku: 'A-1', quantity: 2 }],
  total: 12.5,
  paid: true,
};

/** @param last the id of the 50th stored document, with which a page ends */
export function routes(last: string): [time: Route, post: Route, read: Route] {
  const data = ({ paths }: Contender) => paths?.data ?? '/data';
  return [
    {
      name: 'GET /time',
      method: 'GET',
      path: ({ paths }) => paths?.time ?? '/time',
      status: 200,
      part: '"epochMs":',
    },
    { name: 'POST /data', method: 'POST', path: data, status: 201, part: '"id":"' },
    { name: 'GET /data', method: 'GET', path: data, status: 200, part: `"next":"${last}"` },
  ];
}
