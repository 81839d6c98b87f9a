/**
 * The header that names the replica, `POD` or under Knative `POD; revision=REVISION`, as name and value.
 *
 * @param environment HOSTNAME is set in every container, K_REVISION by Knative
 * @returns nothing where neither is set
 */
export function servedByHeader({ HOSTNAME, K_REVISION }: NodeJS.ProcessEnv): string[] {
  const isName = (name = '') => /^[\w.-]{1,253}$/.test(name);
  const revision = isName(K_REVISION) ? `revision=${K_REVISION}` : undefined;
  const replica = isName(HOSTNAME) ? HOSTNAME : revision && 'unknown';
  return replica ? ['X-Served-By', [replica, revision].filter(Boolean).join('; ')] : [];
}
