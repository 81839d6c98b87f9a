import { exampleDocument } from '../common/example-document';
import type { WrkRequest } from '../common/wrk';

/** A load: an open model at a constant rate, or a closed one with as many clients as connections. */
export type Load = { name: string; path: string; request: WrkRequest } & (
  | { rate: number }
  | { connections: number }
);

/** What is measured at one value of what a part varies. */
export interface Point {
  replicas: number;
  /** How many documents are stored before. */
  stored: number;
  loads: Load[];
}

/** A part of the measurement, which varies one thing. */
export interface Part {
  title: string;
  /** What it varies, with its unit. */
  variable: string;
  /** Ascending. */
  values: number[];
  /** Whether the values are measured again, in descending order, so that drift evens out. */
  twice?: boolean;
  pointAt(value: number): Point;
}

const clients = 50;
/** Enough for each of ten replicas to have a batch of 20. */
const manyClients = 200;
const rates = [100, 500, 1500];
const stored = 100;

export const saturation = `posts at ${manyClients} connections`;

/** The parts, by name. */
export const parts = {
  replicas: {
    title: 'Replicas',
    variable: 'replicas',
    values: [1, 2, 5, 10],
    twice: true,
    pointAt: (replicas) => ({
      replicas,
      stored,
      loads: [
        ...rates.map((rate) => ({ ...posts(exampleDocument), name: constantLoad(rate), rate })),
        { ...posts(exampleDocument), name: saturation, connections: manyClients },
      ],
    }),
  },
  documents: {
    title: 'Document size',
    variable: 'bytes',
    values: [100, 1000, 10_000, 100_000],
    pointAt: (bytes) => {
      const document = { text: 'x'.repeat(bytes - '{"text":""}'.length) };
      return { replicas: 1, stored, loads: [{ ...posts(document), connections: clients }] };
    },
  },
  pages: {
    title: 'Page size',
    variable: 'limit',
    values: [1, 10, 50, 200],
    pointAt: (limit) => ({
      replicas: 1,
      stored: 1000,
      loads: [{ ...lists(limit), connections: clients }],
    }),
  },
  collections: {
    title: 'Collection size',
    variable: 'documents',
    values: [100, 1000, 10_000, 100_000],
    pointAt: (documents) => ({
      replicas: 1,
      stored: documents,
      loads: [
        { ...lists(50), connections: clients },
        { ...posts(exampleDocument), connections: clients },
      ],
    }),
  },
  connections: {
    title: 'Open connections',
    variable: 'connections',
    values: [1, 10, 100, 1000],
    pointAt: (connections) => ({
      replicas: 1,
      stored,
      loads: [{ ...posts(exampleDocument), connections }],
    }),
  },
} satisfies Record<string, Part>;

export type PartName = keyof typeof parts;

export const partNames = Object.keys(parts) as PartName[];

function constantLoad(rate: number): string {
  return `${rate.toLocaleString('en')} posts/s`;
}

function posts(document: object) {
  const body = JSON.stringify(document);
  const request: WrkRequest = { method: 'POST', status: 201, substring: '"id":"', body };
  return { name: 'posts', path: '/data', request };
}

function lists(limit: number) {
  const request: WrkRequest = { method: 'GET', status: 200, substring: '"items":[{' };
  return { name: 'lists', path: `/data?limit=${limit}`, request };
}
