/** Who sends a request, and what they may do. */
export interface Caller {
  /** `key:NAME` for an API key, `sub:SUBJECT` for a token. Shown in the log. */
  name: string;
  /** Undefined if the caller has all. */
  scopes: ReadonlySet<string> | undefined;
}
