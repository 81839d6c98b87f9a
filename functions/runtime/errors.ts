/** The configuration can't be used. Names every variable at fault, one a line, and never a value. */
export class ConfigError extends Error {
  override name = 'ConfigError';

  constructor(problems: string[]) {
    super(`The configuration can't be used:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
}

/**
 * MongoDB did not do what it was asked before the deadline: it is unreachable, or fails at everything.
 * `cause` is the last thing that went wrong.
 */
export class Unavailable extends Error {
  override name = 'Unavailable';

  constructor(cause?: unknown) {
    super('MongoDB is unavailable', { cause });
  }
}

/** MongoDB refuses a document for what is in it, and would refuse it again. */
export class Refused extends Error {
  override name = 'Refused';

  /** @param path the names that lead to the field, as far as MongoDB tells */
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

/** No memory for a request became free before its deadline. */
export class Overloaded extends Error {
  override name = 'Overloaded';
}
