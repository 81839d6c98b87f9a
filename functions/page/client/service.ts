import { byId, element, link, setText } from './dom';
import { request } from './http';
import { operationsOf } from './openapi';

const openApiPath = 'openapi.json';

/** Shows what `GET /` says about the service. @returns whether it answered */
export async function showService(): Promise<boolean> {
  const answer = await request('./', { headers: { Accept: 'application/json' } }, 10_000);
  if (!answer?.ok) return false;
  const { name, version, revision, routes } = answer.json;
  document.title = name;
  setText(document.querySelector('h1') as Element, name);
  const short = revision === 'unknown' ? '' : ` · ${revision.slice(0, 12)}`;
  setText(byId('version'), `${version}${short}`);
  setText(byId('curl'), `curl ${location.href}`);
  await showOperations(routes);
  return true;
}

/** Shows the operations of the OpenAPI document, or the routes where there is none. */
async function showOperations(routes: string[]): Promise<void> {
  const hasDocument = routes.includes(`GET /${openApiPath}`);
  const answer = hasDocument ? await request(openApiPath, {}, 10_000) : undefined;
  const items = answer?.ok ? operationsOf(answer.json) : routes.map(toItem);
  byId('operations').replaceChildren(...items);
  if (answer?.ok) byId('api-source').replaceChildren(link(openApiPath, openApiPath));
}

function toItem(route: string): HTMLLIElement {
  const [method = '', path = ''] = route.split(' ');
  const row = [element('span', 'method', method), element('code', '', path)];
  return element('li', '', element('div', 'plain', ...row));
}
