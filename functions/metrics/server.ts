import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathOf } from '../http/request-log';

export interface MetricsServer {
  port: number;
  /** Finishes the responses in progress, within half a second. */
  close(): Promise<void>;
}

/** No more are needed: Prometheus has one. */
const maxConnections = 16;

const timeoutMs = 5000;
const closeTimeoutMs = 500;

/**
 * Serves `GET /metrics`, and nothing else, on a port of its own.
 *
 * @param port 0 for any that is free
 * @param text the metrics
 * @throws {NodeJS.ErrnoException} `EADDRINUSE` and the like
 */
export async function serveMetrics(
  port: number,
  text: () => string,
  type: string,
): Promise<MetricsServer> {
  const server = createServer(
    { headersTimeout: timeoutMs, requestTimeout: timeoutMs, connectionsCheckingInterval: 1000 },
    (req, res) => {
      res.shouldKeepAlive = false;
      const isFound = pathOf(req) === '/metrics';
      const isAllowed = req.method === 'GET' || req.method === 'HEAD';
      if (isFound && isAllowed) res.setHeader('Content-Type', type).end(text());
      else if (isFound) res.writeHead(405, { Allow: 'GET, HEAD' }).end();
      else res.writeHead(404, { 'Content-Type': 'text/plain' }).end('Metrics are at /metrics.\n');
    },
  );
  server.maxConnections = maxConnections;
  server.timeout = timeoutMs;
  await once(server.listen(port), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        setTimeout(() => server.closeAllConnections(), closeTimeoutMs).unref();
      }),
  };
}
