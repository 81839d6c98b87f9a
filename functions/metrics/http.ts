import type { ServerResponse } from 'node:http';
import { accessProblems } from '../http/description';
import { connectionCut, problemSent, requestArrived, requestRouted } from '../http/events';
import type { Problem } from '../http/problem';
import { errorType, methodName, statusOf } from '../http/semantic-conventions';
import { Overloaded } from '../runtime/errors';
import { listen } from '../runtime/event';
import type { Registry } from './registry';

// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/

/** In seconds, as the conventions advise. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Counted from 0, so that a rate has the first one, too. */
const reasons = [
  ...['memory', 'turn', 'time', 'bandwidth', 'database-unavailable'],
  ...['connections', 'pipelining', 'malformed-request'],
  ...accessProblems,
];

/** What is known of a request until its response ends. */
interface Running {
  startedAt: number;
  method: string;
  /** Empty if it matched none. */
  route: string;
  /** The type of the problem that it got, if any. */
  problem: string;
}

const running = Symbol('what is measured of a request');

type Measured = ServerResponse & { [running]?: Running | undefined };

/** Measures requests: their duration, how many are in progress, and which are turned away. */
export function measureHttp(registry: Registry): (() => void)[] {
  const duration = registry.histogram(
    {
      name: 'http_server_request_duration_seconds',
      help: 'Duration of HTTP requests, until the response has been sent.',
      labels: [
        'http_request_method',
        'http_route',
        'http_response_status_code',
        'error_type',
        'url_scheme',
      ],
    },
    durationBounds,
  );
  const active = registry.gauge({
    name: 'http_server_active_requests',
    help: 'HTTP requests in progress.',
    labels: ['http_request_method', 'url_scheme'],
  });
  const turnedAway = registry.counter({
    name: 'functions_requests_turned_away_total',
    help: 'Requests and connections that were turned away, by reason.',
    labels: ['reason'],
  });
  for (const reason of reasons) turnedAway.add(0, reason);
  const internalErrors = registry.counter({
    name: 'functions_internal_errors_total',
    help: 'Requests that failed by a fault of the service. Its log has the reason.',
  });

  function onArrived(res: Measured): void {
    const method = methodName(res.req.method);
    res[running] = { startedAt: performance.now(), method, route: '', problem: '' };
    active.add(1, method, 'http');
    res.on('close', onClose);
  }

  function onClose(this: Measured): void {
    const request = this[running];
    if (!request) return;
    this[running] = undefined;
    const { startedAt, method, route, problem } = request;
    active.add(-1, method, 'http');
    const status = String(statusOf(this) ?? '');
    const seconds = (performance.now() - startedAt) / 1000;
    duration.observe(seconds, method, route, status, errorType(this, problem), 'http');
  }

  return [
    listen(requestArrived, onArrived),
    listen(requestRouted, ({ res, route }) => {
      const request = (res as Measured)[running];
      if (request) request.route = route;
    }),
    listen(problemSent, ({ problem, res }) => {
      const request = (res as Measured | undefined)?.[running];
      if (request) request.problem = problem.type;
      if (problem.type === 'internal') internalErrors.add(1);
      const reason = res ? reasonOf(problem) : problem.type;
      if (reason) turnedAway.add(1, reason);
    }),
    listen(connectionCut, (reason) => turnedAway.add(1, reason)),
  ];
}

/** Why a request was turned away, if it was. */
function reasonOf({ type, more }: Problem): string | undefined {
  if (type === 'overloaded' && more.cause instanceof Overloaded) return more.cause.reason;
  const isReason = ['overloaded', 'database-unavailable', ...accessProblems].includes(type);
  return isReason ? type : undefined;
}
