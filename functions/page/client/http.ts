import { askForToken, authorization } from './token';

/** An error response, as in RFC 9457. */
export interface Problem {
  type: string;
  status: number;
  title?: string;
  detail?: string;
  issues?: { path: (string | number)[]; message: string }[];
  id?: string;
}

/** Any response of the service. */
export interface Answer {
  ok: boolean;
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  json: any;
  /** What the response says if it is an error; `type` is without `urn:problem-type:`. */
  problem: Problem | undefined;
  servedBy: string | null;
  /** From the request to the end of the response. */
  ms: number;
}

/**
 * Sends a request and reads the response.
 *
 * @param path relative, so that the page also works below a path of a proxy
 * @returns undefined if there was no response of the service within the time limit
 */
export async function request(
  path: string,
  init: RequestInit = {},
  timeoutMs = 40_000,
): Promise<Answer | undefined> {
  const start = performance.now();
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), timeoutMs);
  try {
    const sent = authorization();
    const response = await fetch(path, {
      ...init,
      headers: { ...init.headers, ...sent },
      cache: 'no-store',
      signal: aborter.signal,
    });
    const { ok, status, headers } = response;
    const json = parse(await response.text());
    if (ok && json === undefined) return undefined; // a proxy's page, for example
    const ms = performance.now() - start;
    const problem = ok ? undefined : toProblem(status, json);
    if (status === 401) askForToken(sent.Authorization, problem?.detail ?? '');
    return { ok, status, json, problem, servedBy: headers.get('X-Served-By'), ms };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A proxy in front of the service may answer with something else than a problem. */
function toProblem(status: number, json: unknown): Problem {
  const { type = '', ...rest } = (json ?? {}) as Partial<Problem>;
  return {
    detail: `The answer was ${status}.`,
    ...rest,
    status,
    type: String(type).replace('urn:problem-type:', ''),
  };
}
