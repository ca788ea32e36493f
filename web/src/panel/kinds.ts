import type { Kinds } from "../live/kinds.js";
import { byId, count, make, say } from "./element.js";

/** The kinds of features as switches: what is switched off is not sent. */
export function bindKinds(kinds: Kinds): { show: () => void } {
  const group = byId("kinds");
  const rows = new Map<string, { number: HTMLElement; box: HTMLInputElement }>();
  const add = (name: string, index: number) => {
    const wanted = kinds.list().find((kind) => kind.name === name)?.wanted ?? true;
    const box = make("input", { type: "checkbox" });
    const number = make("span", { class: "number" });
    box.checked = wanted;
    box.addEventListener("change", () => kinds.want(name, box.checked));
    group.append(make("label", { class: `kind kind-${index + 1}` }, box, make("span", { class: "name" }, name), number));
    rows.set(name, { number, box });
  };
  return {
    show() {
      const list = kinds.list();
      if (list.length !== rows.size) {
        group.replaceChildren();
        rows.clear();
      }
      list.forEach(({ name, count: number }, index) => {
        if (!rows.has(name)) add(name, index);
        say(rows.get(name)!.number, count(number));
      });
    },
  };
}
