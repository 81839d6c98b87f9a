import { element } from './dom';

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any;

const methods = ['get', 'post', 'put', 'patch', 'delete'];

type Row = [term: string, ...texts: (string | undefined)[]];

/** The operations of an OpenAPI document, as items of a list that open. */
export function operationsOf(document: Json): HTMLLIElement[] {
  const resolve = (value: Json): Json =>
    value?.$ref
      ? value.$ref
          .split('/')
          .slice(1)
          .reduce((at: Json, name: string) => at?.[name], document)
      : value;

  function operation(method: string, path: string, item: Json): HTMLLIElement {
    const { summary, description, parameters = [], requestBody, responses = {} } = item[method];
    const inputs = [...(item.parameters ?? []), ...parameters].map((parameter): Row => {
      const { name, in: place, required, description } = resolve(parameter);
      return [name, required ? `${place}, required` : place, description];
    });
    const { content, description: bodyText } = resolve(requestBody) ?? {};
    if (content) inputs.push(['body', Object.keys(content).join(', '), bodyText]);
    const outputs = Object.entries(responses).map(
      ([status, response]): Row => [status, resolve(response)?.description],
    );
    const more = element('div', 'more');
    if (description) more.append(element('p', '', plain(description)));
    if (inputs.length > 0) more.append(element('h3', '', 'Request'), list(inputs));
    if (outputs.length > 0) more.append(element('h3', '', 'Responses'), list(outputs));
    const line = element(
      'summary',
      '',
      element('span', 'method', method.toUpperCase()),
      element('code', '', path),
      element('span', 'says', plain(summary)),
    );
    return element('li', '', element('details', '', line, more));
  }

  return Object.entries<Json>(document.paths ?? {}).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => operation(method, path, item)),
  );
}

function list(rows: Row[]): HTMLElement {
  const cells = rows.flatMap(([term, ...texts]) => [
    element('dt', '', term),
    element('dd', '', texts.filter(Boolean).map(plain).join(' · ')),
  ]);
  return element('dl', '', ...cells);
}

/** Descriptions are CommonMark: shows them without the marks of lists, code and links. */
function plain(markdown = ''): string {
  return markdown
    .replace(/^- /gm, '')
    .replace(/`([^`]*)`/g, '$1')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
