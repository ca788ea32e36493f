import { byId, count, make, say } from "../panel/element.js";
import { rate } from "./figures.js";
import type { Rates } from "./rates.js";
import type { Report, Trouble } from "./report.js";

/** Channels, those that most goes out of first. */
export function showChannels({ channels, now }: Report, rates: Rates): void {
  say(byId("channels-text"), count(now.channels));
  const body = byId<HTMLTableSectionElement>("channel-rows");
  const busy = (name: string) => rates.ofChannel(name)?.deliveries ?? 0;
  const list = channels.list.map((channel) => ({ ...channel, busy: busy(channel.name) }));
  list.sort((one, other) => other.busy - one.busy || other.subscribers - one.subscribers || (one.name < other.name ? -1 : 1));
  while (body.rows.length > list.length) body.deleteRow(-1);
  list.forEach(({ name, subscribers, events, deliveries }, place) => {
    const row = body.rows[place] ?? body.appendChild(channelRow());
    const known = rates.ofChannel(name);
    const texts = [name, count(subscribers), rate(known?.events), rate(known?.deliveries)];
    texts.forEach((text, place) => say(row.cells[place]!, text));
    row.title = `${name}: ${count(events)} in, ${count(deliveries)} out since somebody has listened`;
  });
  const note = byId("channels-note");
  note.hidden = !channels.truncated && list.length > 0;
  say(note, list.length === 0 ? "Nobody listens to any." : `The ${count(list.length)} with most clients or most traffic.`);
}

/** What went wrong last. */
export class Troubles {
  #shown = -1;

  show({ errors }: Report): void {
    if (errors.total === this.#shown) return;
    this.#shown = errors.total;
    say(byId("errors-text"), errors.total === 0 ? "none" : count(errors.total));
    byId("error-list").replaceChildren(...errors.list.map(line));
  }
}

function line({ at, level, text }: Trouble): HTMLLIElement {
  const moment = new Date(at);
  const time = make("time", { datetime: moment.toISOString(), class: "number", title: moment.toLocaleString() }, moment.toLocaleTimeString("en-GB"));
  return make("li", { class: level }, make("p", { class: "error-head" }, time, make("span", { class: "level" }, level)), make("p", {}, text));
}

function channelRow(): HTMLTableRowElement {
  const figures = [1, 2, 3].map(() => make("td", { class: "figure-column" }));
  return make("tr", {}, make("th", { scope: "row", class: "names" }), ...figures);
}
