import { join } from 'node:path';

/** One process that serves the benchmark's requests. */
export interface Contender {
  name: string;
  /** @param port what it shall listen on; most read it from `PORT` */
  command(port: number): string[];
  cwd: string;
  env?: Record<string, string>;
  /** Where it serves what the others serve at `/time` and `/data`. */
  paths?: { time: string; data: string };
  /** What makes it, when that isn't npm. */
  made?: 'with Python' | 'with Go';
}

export const root = join(__dirname, '../..');
export const peers = join(__dirname, 'peers');
export const modules = join(__dirname, 'node_modules');

/** Where the Node.js is that all contenders run on: the image's, whatever this process runs on. */
export const nodeFolder = join(modules, `node-${process.platform}-${process.arch}`, 'bin');

/** The least that answers, for the cold starts. */
export const bare: Contender = {
  name: 'bare node:http',
  command: () => ['node', 'bare.js'],
  cwd: peers,
};

/** The peer whose figures are 1: `node:http`, the driver, and one insertOne a request. */
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
  made: 'with Python',
};

/** What the Dockerfile sets for it. */
const image = { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' };

export const own: Contender = {
  name: 'this, own host',
  command: () => ['node', 'dist/main.js'],
  cwd: root,
  env: { ...image, LOG_REQUESTS: 'false' },
};

/**
 * All contenders, in the order in which they take turns: those that are compared most stand together.
 * Each peer's own files link the documentation that they follow.
 */
export const contenders: Contender[] = [
  raw,
  own,
  { ...own, name: 'this, request log on', env: { ...image, LOG_REQUESTS: 'true' } },
  { name: 'Fastify', command: () => ['node', 'fastify.js'], cwd: peers },
  {
    name: 'Go net/http',
    command: () => ['./server'],
    cwd: join(peers, 'go'),
    made: 'with Go',
  },
  { name: 'Express', command: () => ['node', 'express.js'], cwd: peers },
  flask,
  {
    name: 'faas-js-runtime',
    command: (port) => [
      'node',
      join(modules, '.bin/faas-js-runtime'),
      `--port=${port}`,
      'index.js',
    ],
    cwd: join(peers, 'faas-js-runtime'),
    paths: { time: '/?time', data: '/' },
  },
  {
    name: 'functions-framework',
    // what `npx functions-framework` runs, without npx in between
    command: () => ['node', join(modules, '.bin/functions-framework'), '--target=app'],
    cwd: join(peers, 'functions-framework'),
  },
  {
    name: 'this, functions-framework',
    command: () => ['node', 'node_modules/.bin/functions-framework', '--target=app'],
    cwd: root,
  },
];
