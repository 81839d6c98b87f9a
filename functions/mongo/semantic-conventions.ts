// How metrics and traces describe operations: https://opentelemetry.io/docs/specs/semconv/db/mongodb/

/** `error.type`: MongoDB's error code, or else the name of the error. */
export function errorType(error: unknown): string {
  return statusCode(error) ?? String(Object(error).name || 'Error');
}

/** `db.response.status_code`: MongoDB's error code, if it replied with an error. */
export function statusCode(error: unknown): string | undefined {
  const { name, code } = Object(error);
  return name === 'MongoServerError' && code ? String(code) : undefined;
}
