import { join } from 'node:path';
import { builtService, imageEnv } from '../common/built-service';
import { benchPackages } from '../common/install';
import type { Server } from '../common/server-process';

/** A server that is benchmarked. */
export interface Contender extends Server {
  /** Its paths for `/time`, `/data` and `/data/`, before an id, where they differ. */
  paths?: { time: string; data: string; document: string };
  /** What builds it, besides npm. */
  toolchain?: 'Python' | 'Go';
}

export const peers = join(__dirname, 'peers');

/** The least that responds at all; for cold starts only. */
export const bare: Contender = {
  name: 'bare node:http',
  command: () => ['node', 'bare.js'],
  cwd: peers,
};

/** The baseline of all ratios: `node:http`, the driver, and one insertOne per request. */
export const raw: Contender = {
  name: 'raw node:http',
  command: () => ['node', 'raw.js'],
  cwd: peers,
};

export const flask: Contender = {
  name: 'Flask, gunicorn',
  // https://cloud.google.com/run/docs/quickstarts/build-and-deploy/deploy-python-service
  command: (port) => [
    '.venv/bin/gunicorn',
    `--bind=:${port}`,
    '--workers=1',
    '--threads=8',
    '--timeout=0',
    'main:app',
  ],
  cwd: join(peers, 'flask'),
  toolchain: 'Python',
};

export const own: Contender = builtService;

/**
 * All contenders, in the order in which they are measured: those most worth comparing are next to
 * each other. The files of each peer link the documentation that they follow.
 */
export const contenders: Contender[] = [
  raw,
  own,
  { ...own, name: 'this, request log on', env: { ...imageEnv, LOG_REQUESTS: 'true' } },
  { name: 'Fastify', command: () => ['node', 'fastify.js'], cwd: peers },
  {
    name: 'Go net/http',
    command: () => ['./server'],
    cwd: join(peers, 'go'),
    toolchain: 'Go',
  },
  { name: 'Express', command: () => ['node', 'express.js'], cwd: peers },
  flask,
  {
    name: 'faas-js-runtime',
    command: (port) => [
      'node',
      join(benchPackages, '.bin/faas-js-runtime'),
      `--port=${port}`,
      'index.js',
    ],
    cwd: join(peers, 'faas-js-runtime'),
    paths: { time: '/?time', data: '/', document: '/?id=' },
  },
  {
    name: 'functions-framework',
    // what `npx functions-framework` runs, without npx itself
    command: () => ['node', join(benchPackages, '.bin/functions-framework'), '--target=app'],
    cwd: join(peers, 'functions-framework'),
  },
  {
    name: 'this, functions-framework',
    command: () => ['node', 'node_modules/.bin/functions-framework', '--target=app'],
    cwd: own.cwd,
  },
];
