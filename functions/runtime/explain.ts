import { ConfigError } from './errors';

/** @returns one sentence that says why the service could not start */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Set PORT to one that is free.`;
  if (code === 'EACCES') return `Port ${port} may not be used. Set PORT to one above 1023.`;
  return `The service could not start: ${message}`;
}
