import pino from 'pino';
import { openOutput } from './log-output';

let latest = { ms: Number.NaN, text: '' };

/** ISO 8601, made once a millisecond: under load many lines share one. */
function timestamp(): string {
  const ms = Date.now();
  if (ms !== latest.ms) latest = { ms, text: `,"time":"${new Date(ms).toISOString()}"` };
  return latest.text;
}

const output = openOutput();

/**
 * One JSON object a line on standard output. Errors are reduced to what names them: what a driver
 * attaches to an error can hold a document.
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

/** Writes the last lines, and waits half a second at most until they are read. */
export const flushLog = output.end;
