import { byId, setText } from './dom';

/** Kept here and nowhere else, so that it is gone with the page. */
let token = '';
let isWanted = false;

/** Whether the service has refused a request because it had no valid token. */
export const tokenIsWanted = () => isWanted;

export const hasToken = () => token !== '';

/** The header that has the token, if there is one. */
export function authorization(): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/**
 * Asks for another token, unless that has happened since the request was sent.
 *
 * @param sent the header that the request had
 * @param reason why it was refused
 */
export function askForToken(sent: string | undefined, reason: string): void {
  if (sent !== authorization().Authorization) return;
  setText(byId('token-problem'), sent ? reason : '');
  token = '';
  isWanted = true;
  byId('token-form').hidden = false;
}

/** Makes the form for the token work. @param retry is called once there is one */
export function setUpToken(retry: () => void): void {
  const field = byId<HTMLInputElement>('token');
  if (!isSecureContext) {
    const risk = 'This page was loaded without TLS: the token can be read on its way.';
    setText(byId('token-risk'), risk);
  }
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    token = field.value.trim();
    if (!token) return field.focus();
    field.value = '';
    isWanted = false;
    byId('token-form').hidden = true;
    retry();
  });
}
