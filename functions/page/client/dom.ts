type Child = Node | string;

/** The element of the page with this id. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Creates an element. Its children are elements and text: nothing is ever parsed as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children);
  return created;
}

/** A link within the service. */
export function link(href: string, text: string): HTMLAnchorElement {
  const created = element('a', '', text);
  created.href = href;
  return created;
}

/** Replaces an element's text if it differs, so that a screen reader announces changes only. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
