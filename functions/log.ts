import pino from 'pino';

/**
 * One JSON object a line on standard output. Errors are reduced to what names them: what a driver
 * attaches to an error can hold a document.
 */
export const log = pino(
  {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: {
      err: ({ name, message, code, stack }: NodeJS.ErrnoException) => ({
        name,
        message,
        code,
        stack,
      }),
    },
  },
  pino.destination({ sync: false, minLength: 4096, periodicFlush: 100 }),
);
