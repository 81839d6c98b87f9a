import type { ServerResponse } from 'node:http';
import { event } from '../runtime/event';
import type { Problem } from './problem';
import type { BodyLimits } from './request-body';

/** The limits of an application were made, on its first request that needs them. */
export const limitsCreated = event<BodyLimits>('http.limits-created');

/** A request has arrived. The response is emitted `close` when it has ended. */
export const requestArrived = event<ServerResponse>('http.request-arrived');

/** A request has matched a route, such as `/data/{id}`. It is handled in the context bound to this. */
export const requestRouted = event<{ res: ServerResponse; route: string }>('http.request-routed');

/** A problem is sent: without a response object if Node could not parse the request. */
export const problemSent = event<{ problem: Problem; res?: ServerResponse }>('http.problem-sent');

/** A connection was closed, because there are too many, or too many requests wait on it. */
export const connectionCut = event<'connections' | 'pipelining'>('http.connection-cut');
