/** An element of the page that has to be there. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as Kind;
}

/** Makes an element; what is text becomes text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name, attributes: Record<string, string> = {}, ...content: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...content);
  return element;
}

/** Says something where something else is said, and leaves it alone otherwise: what changes is read out. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function count(number: number): string {
  return number.toLocaleString("en").replaceAll(",", "\u2009");
}

export function bytes(number: number): string {
  if (number < 1000) return `${Math.round(number)} B`;
  if (number < 1e6) return `${(number / 1000).toFixed(number < 1e4 ? 1 : 0)} KB`;
  return `${(number / 1e6).toFixed(1)} MB`;
}
