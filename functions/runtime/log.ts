import pino from 'pino';
import { openOutput } from './log-output';

let latest = { ms: Number.NaN, text: '' };

/** ISO 8601, formatted once per millisecond: under load many lines share one. */
function timestamp(): string {
  const ms = Date.now();
  if (ms !== latest.ms) latest = { ms, text: `,"time":"${new Date(ms).toISOString()}"` };
  return latest.text;
}

const output = openOutput();

/**
 * Writes one JSON object per line to standard output. Of an error, only its name, message, code and
 * stack are logged: what the driver attaches to an error may contain a document.
 */
export const log = pino(
  {
    base: null,
    timestamp,
    formatters: { level: (level) => ({ level }) },
    serializers: {
      err: (error) => {
        const { name, message = String(error), code, stack } = Object(error);
        return { name, message, code, stack };
      },
    },
  },
  output,
);

/** Writes the remaining lines, and waits up to half a second until they are read. */
export const flushLog = output.end;
