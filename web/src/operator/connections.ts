import { byId, bytes, count, make, say } from "../panel/element.js";
import { extent, rate, time } from "./figures.js";
import type { Rates } from "./rates.js";
import { healthOf, type Connection } from "./report.js";

interface Row {
  row: HTMLTableRowElement;
  button: HTMLButtonElement;
  cells: Record<Name, HTMLTableCellElement>;
}

type Name = "address" | "dialect" | "state" | "waiting" | "delivered" | "age" | "viewport" | "channels";

/** The table of connections, those that are slow first. */
export class Connections {
  readonly #body = byId<HTMLTableSectionElement>("connection-rows");
  readonly #filter = byId<HTMLInputElement>("filter");
  readonly #rows = new Map<number, Row>();
  readonly #chosen: (id: number) => void;
  #shown: { connections: readonly Connection[]; rates: Rates } | undefined;
  #marked: number | undefined;

  constructor(chosen: (id: number) => void) {
    this.#chosen = chosen;
    this.#filter.addEventListener("input", () => this.#draw());
  }

  show(connections: readonly Connection[], rates: Rates): void {
    this.#shown = { connections, rates };
    this.#draw();
  }

  /** Marks a client, and brings it into sight. */
  choose(id: number | undefined): void {
    this.#mark(this.#marked, false);
    this.#marked = id;
    this.#mark(id, true);
    if (id !== undefined) this.#rows.get(id)?.row.scrollIntoView({ block: "nearest" });
  }

  #draw(): void {
    if (!this.#shown) return;
    const { connections, rates } = this.#shown;
    const wanted = this.#filter.value.trim().toLowerCase();
    const fits = ({ address, dialect, channels }: Connection) =>
      [address, dialect, ...channels.names].some((text) => text.toLowerCase().includes(wanted));
    const fitting = connections.filter(fits).sort(worstFirst);
    const ids = new Set(fitting.map(({ id }) => id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let place: Element | null = this.#body.firstElementChild;
    for (const connection of fitting) {
      const { row } = this.#row(connection, rates);
      // Rows that stay where they are keep the focus.
      if (row === place) place = place.nextElementSibling;
      else this.#body.insertBefore(row, place);
    }
  }

  #row(connection: Connection, rates: Rates): Row {
    const { id, address, dialect, age_seconds, viewport, channels, waiting_bytes, delivered } = connection;
    const made = this.#rows.get(id) ?? this.#make(id);
    const { row, cells } = made;
    const health = healthOf(connection);
    const more = channels.count - channels.names.length;
    const perSecond = rates.ofClient(id, delivered);
    row.dataset["health"] = health;
    say(cells.address, address);
    say(cells.dialect, dialect.replace(/^geocast\./, ""));
    say(cells.state, health === "well" ? "" : health);
    say(cells.waiting, waiting_bytes > 0 ? bytes(waiting_bytes) : "");
    say(cells.delivered, perSecond === undefined ? count(delivered) : `${rate(perSecond)}/s`);
    cells.delivered.title = `${count(delivered)} in all`;
    say(cells.age, time(age_seconds));
    say(cells.viewport, viewport ? [viewport.crs, ...viewport.boxes.slice(0, 1).map(extent)].join(" · ") : "everywhere");
    say(cells.channels, channels.names.join(", ") + (more > 0 ? ` and ${count(more)} more` : ""));
    return made;
  }

  #make(id: number): Row {
    const button = make("button", { type: "button", class: "client" }, String(id));
    button.addEventListener("click", () => this.#chosen(id));
    const cell = (...classes: string[]) => make("td", { class: classes.join(" ") });
    const cells = {
      address: cell("number"),
      dialect: cell("wide"),
      state: cell("health"),
      waiting: cell("figure-column"),
      delivered: cell("figure-column"),
      age: cell("figure-column", "wide"),
      viewport: cell("wide", "number"),
      channels: cell("wide", "names"),
    };
    const row = make("tr", {}, make("th", { scope: "row" }, button), ...Object.values(cells));
    row.addEventListener("click", ({ target }) => target !== button && this.#chosen(id));
    const made = { row, button, cells };
    this.#rows.set(id, made);
    if (id === this.#marked) this.#mark(id, true);
    return made;
  }

  #mark(id: number | undefined, on: boolean): void {
    const row = id === undefined ? undefined : this.#rows.get(id);
    row?.row.classList.toggle("chosen", on);
    row?.button.setAttribute("aria-pressed", String(on));
  }
}

/** Then in the order in which they came, so that rows stay where they are. */
function worstFirst(one: Connection, other: Connection): number {
  const badness = { slow: 2, behind: 1, well: 0 };
  return badness[healthOf(other)] - badness[healthOf(one)] || waiting(other) - waiting(one) || one.id - other.id;
}

/** What waits for those who are slow; for others it is gone in a moment. */
function waiting(connection: Connection): number {
  return connection.blocked ? connection.waiting_bytes : 0;
}
