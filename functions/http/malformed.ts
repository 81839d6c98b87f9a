import type { IncomingMessage } from 'node:http';
import { Problem, type ProblemType } from './problem';

/** Header fields that a request may have, as Apache and others have it. Node bounds their bytes, at 16 KiB. */
const MAX_HEADERS = 200;

/** A host as RFC 3986, section 3.2.2, has it, which may be empty, and a port. */
const host = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/** What is wrong with the head of a request that Node took for one. */
export function faultOf(req: IncomingMessage): Problem | undefined {
  const { rawHeaders, httpVersion, headers } = req;
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return new Problem('headers-too-large', `Send at most ${MAX_HEADERS} header fields.`);
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return new Problem('malformed-request', 'Send one Host header.');
  }
  if (!host.test(headers.host ?? '')) {
    return new Problem('malformed-request', 'Send a Host header of a host, and a port if need be.');
  }
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') return unknownCoding();
  return undefined;
}

function unknownCoding(): Problem {
  return new Problem(
    'unsupported-transfer-coding',
    'Send the body with a Content-Length, or with the Transfer-Encoding chunked and no other.',
  );
}

const faults: Record<string, [ProblemType, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'Send at most 16 KiB of headers.'],
  HPE_INVALID_EOF_STATE: ['incomplete-body', 'The request ended before it was whole.'],
  HPE_INVALID_METHOD: [
    'malformed-request',
    'Begin with a method of HTTP, such as GET, in capital letters.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'Send the request faster.'],
};

/** What Node could not parse as a request, in the form of every other error. */
export function problemOfParser({ code = '', message }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' && !message.includes('Content-Length')) {
    return unknownCoding();
  }
  const [type, detail] = faults[code] ?? [
    'malformed-request',
    `Send HTTP/1.1; this can't be read as such (${code}).`,
  ];
  return new Problem(type, detail);
}
