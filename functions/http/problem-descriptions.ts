import type { ProblemDescription } from './description';
import type { ProblemType } from './problem';

/** The types that the service itself uses, for the OpenAPI document. */
export const problemDescriptions: Record<ProblemType, ProblemDescription> = {
  'malformed-request': {
    when: 'The request is not HTTP/1.1, or does not have exactly one valid `Host`.',
    detail: 'Send one Host header.',
  },
  'malformed-json': {
    when: 'The body is not JSON in UTF-8.',
    detail: 'The body is not JSON: Unexpected end of JSON input.',
  },
  'incomplete-body': { when: 'The body ended early.', detail: 'The request ended early.' },
  'invalid-query': {
    when: 'A query parameter is invalid, unknown or given twice.',
    detail: "The query parameters can't be used: limit: must be a whole number from 1 to 200.",
    issues: [{ path: ['limit'], message: 'must be a whole number from 1 to 200' }],
  },
  'invalid-idempotency-key': {
    when: 'The `Idempotency-Key` is not one string of 1 to 255 characters.',
    detail:
      'Send the Idempotency-Key as one string of 1 to 255 characters in double quotes, such as' +
      ' "8e03978e-40d5-43e8-bc93-6894a57f9324", and a new one for each document.',
  },
  'token-required': {
    when: 'The service needs a token, and there is none in the header `Authorization`.',
    detail: 'Send a token in the header Authorization: Bearer TOKEN, and nowhere else.',
    headers: ['WWW-Authenticate'],
  },
  'invalid-token': {
    when: 'The token or API key is wrong or has expired, or is not for this service.',
    detail: 'There is no such API key. Send one that is in use.',
    headers: ['WWW-Authenticate'],
  },
  'insufficient-scope': {
    when: 'The token lacks the scope of the operation.',
    detail: 'Use a token with the scope data:write, which this one lacks.',
    headers: ['WWW-Authenticate'],
  },
  'not-found': {
    when: 'There is nothing at this path.',
    detail: 'There is no document with this id.',
  },
  'method-not-allowed': {
    when: 'The path does not have this method. `Allow` lists those that it has.',
    detail: 'Use one of GET, POST, HEAD, OPTIONS here.',
    headers: ['Allow'],
  },
  'request-timeout': {
    when: 'The request arrived too slowly, or stopped.',
    detail: 'The body stopped arriving.',
  },
  'body-too-large': {
    when: 'The body is larger than the service accepts.',
    detail: 'Send at most 1048576 bytes.',
  },
  'unsupported-media-type': {
    when: 'The body is not `application/json` in UTF-8.',
    detail: 'Send JSON in UTF-8, with the header Content-Type: application/json.',
    headers: ['Accept-Post'],
  },
  'unsupported-content-coding': {
    when: 'The body is compressed.',
    detail: 'Send the body without a Content-Encoding.',
    headers: ['Accept-Encoding'],
  },
  'expectation-failed': {
    when: '`Expect` is something other than `100-continue`.',
    detail: 'Leave out the header Expect, or send Expect: 100-continue.',
  },
  'invalid-document': {
    when: "The body is not a JSON object, or one that can't be stored.",
    detail: `The field "a" → 1 → "b" can't be stored: the number is too large for a double.`,
    issues: [{ path: ['a', 1, 'b'], message: 'the number is too large for a double' }],
  },
  'nesting-too-deep': {
    when: 'Objects and arrays are nested deeper than 64 levels.',
    detail: 'Nest objects and arrays at most 64 levels deep.',
  },
  'idempotency-key-reused': {
    when: 'The `Idempotency-Key` was sent with a different document.',
    detail: 'This Idempotency-Key was sent with another document. Use a new key for each document.',
  },
  'headers-too-large': {
    when: 'The request has more than 200 header fields, or more than 16 KiB of headers.',
    detail: 'Send at most 200 header fields.',
  },
  internal: {
    when: 'Anything unforeseen. The log of the service has the cause.',
    detail: 'The service failed to handle this request. Its log says why.',
  },
  'unsupported-transfer-coding': {
    when: '`Transfer-Encoding` is something other than `chunked`.',
    detail:
      'Send the body with a Content-Length, or with the Transfer-Encoding chunked and no other.',
  },
  'not-alive': {
    when: 'A restart would help.',
    detail: 'The MongoDB driver has stopped monitoring its server, and a new client did not help.',
  },
  'not-ready': {
    when: 'The replica has not reached MongoDB yet, or shuts down.',
    detail: 'MongoDB has not been reached yet.',
    headers: ['Retry-After'],
  },
  'authentication-unavailable': {
    when: 'The token could not be verified, as the keys of its issuer could not be fetched in time.',
    detail: 'Nothing was done, as the token could not be verified. Try again.',
    headers: ['Retry-After'],
  },
  overloaded: {
    when: 'There was no memory or no turn for the request in time, or its body was slow while others waited.',
    detail: 'The service gets more requests than it can serve. Try again.',
    headers: ['Retry-After'],
  },
  'database-unavailable': {
    when: 'MongoDB was unreachable, or failed, for as long as a request may wait.',
    detail: 'MongoDB is unreachable or fails. Try again.',
    headers: ['Retry-After'],
  },
};
