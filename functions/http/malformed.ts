import type { IncomingMessage } from 'node:http';
import { Problem, type ProblemType } from './problem';

/** The most header fields of a request. Node limits their size, to 16 KiB. */
const MAX_HEADERS = 200;

/** A host as in RFC 3986, section 3.2.2, possibly empty, and an optional port. */
const host = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/** Finds what is wrong with the headers of a request that Node has accepted. */
export function checkHead(req: IncomingMessage): Problem | undefined {
  const { rawHeaders, httpVersion, headers } = req;
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return new Problem('headers-too-large', `Send at most ${MAX_HEADERS} header fields.`);
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return new Problem('malformed-request', 'Send HTTP/1.1.');
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return new Problem('malformed-request', 'Send one Host header.');
  }
  if (!host.test(headers.host ?? '')) {
    return new Problem(
      'malformed-request',
      'Send a Host header with a host and, if needed, a port.',
    );
  }
  const coding = headers['transfer-encoding'];
  // what is in front may not know chunks, and see other requests in them (RFC 9112, section 6.1)
  if (coding !== undefined && httpVersion === '1.0') {
    return new Problem('malformed-request', 'Send chunks in HTTP/1.1 only.');
  }
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') return unknownCoding();
  return undefined;
}

function unknownCoding(): Problem {
  return new Problem(
    'unsupported-transfer-coding',
    'Send the body with a Content-Length, or with the Transfer-Encoding chunked and no other.',
  );
}

const parserProblems: Record<string, [ProblemType, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'Send at most 16 KiB of headers.'],
  HPE_INVALID_EOF_STATE: ['incomplete-body', 'The request ended early.'],
  HPE_INVALID_METHOD: [
    'malformed-request',
    'Start with an HTTP method, such as GET, in capital letters.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'Send the request faster.'],
};

/** The problem for an error of Node's parser. */
export function toParserProblem({ code = '', message }: NodeJS.ErrnoException): Problem {
  if (code === 'HPE_INVALID_TRANSFER_ENCODING' && !message.includes('Content-Length')) {
    return unknownCoding();
  }
  const [type, detail] = parserProblems[code] ?? [
    'malformed-request',
    `Send HTTP/1.1; this can't be parsed (${code}).`,
  ];
  return new Problem(type, detail);
}
