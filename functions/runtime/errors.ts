/** The configuration is invalid. Names every variable at fault, one per line, and never a value. */
export class ConfigError extends Error {
  override name = 'ConfigError';

  constructor(problems: string[]) {
    super(`The configuration can't be used:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
}

/**
 * MongoDB did not complete an operation before its deadline: it is unreachable, or every attempt
 * fails. `cause` is the last error.
 */
export class Unavailable extends Error {
  override name = 'Unavailable';

  constructor(cause?: unknown) {
    super('MongoDB is unavailable', { cause });
  }
}

/** MongoDB refuses a document because of its content, and would refuse it again. */
export class Refused extends Error {
  override name = 'Refused';

  /** @param path the names that lead to the field, as far as MongoDB reports them */
  constructor(
    message: string,
    readonly path: PropertyKey[],
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** An Idempotency-Key was used before, for another document. */
export class KeyReused extends Error {
  override name = 'KeyReused';
}

/** A request got no memory before its deadline, or the requests before it used up its time. */
export class Overloaded extends Error {
  override name = 'Overloaded';

  constructor(
    message?: string,
    /** What there was not enough of. */
    readonly reason: 'memory' | 'turn' | 'time' | 'bandwidth' = 'memory',
  ) {
    super(message);
  }
}
