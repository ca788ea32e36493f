import type { Report } from "./report.js";

/** What came a second between two reports. */
export class Rates {
  readonly #seconds: number;
  readonly #before: Report | undefined;
  readonly #now: Report;
  readonly #channels: Map<string, { events: number; deliveries: number }>;
  readonly #delivered: Map<number, number>;

  constructor(before: Report | undefined, now: Report) {
    this.#seconds = before ? (now.at - before.at) / 1000 : 0;
    this.#before = this.#seconds > 0 ? before : undefined;
    this.#now = now;
    this.#channels = new Map(this.#before?.channels.list.map((channel) => [channel.name, channel]));
    const clients = [...(this.#before?.connections.list ?? []), ...(this.#before?.slow ?? [])];
    this.#delivered = new Map(clients.map(({ id, delivered }) => [id, delivered]));
  }

  /** Of all totals whose names begin so; nothing, if it is not known. */
  of(prefix: string): number | undefined {
    const before = this.#before;
    if (!before) return undefined;
    const names = Object.keys(this.#now.totals).filter((name) => name.startsWith(prefix));
    return names.reduce((sum, name) => sum + (this.#rise(before.totals[name] ?? 0, this.#now.totals[name] ?? 0) ?? 0), 0);
  }

  ofChannel(name: string): { events: number; deliveries: number } | undefined {
    const now = this.#now.channels.list.find((channel) => channel.name === name);
    const before = this.#channels.get(name);
    if (!now || !before) return undefined;
    const events = this.#rise(before.events, now.events);
    const deliveries = this.#rise(before.deliveries, now.deliveries);
    return events === undefined || deliveries === undefined ? undefined : { events, deliveries };
  }

  ofClient(id: number, delivered: number): number | undefined {
    const before = this.#delivered.get(id);
    return before === undefined ? undefined : this.#rise(before, delivered);
  }

  /** Nothing, if it began anew. */
  #rise(before: number, now: number): number | undefined {
    return now < before ? undefined : (now - before) / this.#seconds;
  }
}
