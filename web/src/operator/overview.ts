import { byId, bytes, count, make, say } from "../panel/element.js";
import { colours, onTheme } from "../theme.js";
import { rate, time } from "./figures.js";
import type { Rates } from "./rates.js";
import type { Report } from "./report.js";

/** The server as a whole: how many are there, and how much goes out. */
export class Overview {
  readonly #figures = { clients: figure("clients"), out: figure("delivered", "delivered"), withheld: figure("withheld") };
  readonly #chart = byId<HTMLCanvasElement>("chart");
  readonly #samples: number[] = [];

  constructor() {
    byId("figures").replaceChildren(...Object.values(this.#figures).map(({ whole }) => whole));
    onTheme(() => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.#chart);
  }

  show({ server, now, totals, workers }: Report, rates: Rates): void {
    say(byId("server-text"), `${server.version} · ${server.draining ? "stopping" : `up ${time(server.uptime_seconds)}`}`);
    const { clients, out, withheld } = this.#figures;
    say(clients.rate, count(now.connections));
    say(clients.total, `of ${count(server.limits.connections)}`);
    const delivered = rates.of("delivered");
    say(out.rate, `${rate(delivered)}/s`);
    say(out.total, count(totals["delivered"] ?? 0));
    say(withheld.rate, `${rate(rates.of("withheld"))}/s`);
    const all = Object.entries(totals).filter(([name]) => name.startsWith("withheld"));
    say(withheld.total, count(all.reduce((sum, [, number]) => sum + number, 0)));
    const sent = rates.of("bytes_sent");
    const parts = [
      `${rate(rates.of("published"))}/s published here`,
      sent === undefined ? "– sent" : `${bytes(sent)}/s sent`,
      `${bytes(now.outbox_bytes)} waiting`,
      `${count(now.slow)} slow, ${count(now.behind)} behind`,
    ];
    say(byId("flow-note"), parts.slice(1).join(" · "));
    const hung = workers.filter(({ up }) => !up).length;
    say(byId("hung"), hung > 0 ? `${hung} of ${workers.length} workers do not answer: their connections are not shown.` : "");
    byId("hung").hidden = hung === 0;
    if (delivered !== undefined) this.#samples.push(delivered);
    this.#samples.splice(0, Math.max(0, this.#samples.length - SAMPLES));
    this.#draw();
  }

  #draw(): void {
    const canvas = this.#chart;
    const [width, height] = [canvas.clientWidth * devicePixelRatio, canvas.clientHeight * devicePixelRatio];
    if (width === 0) return;
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    if (!context) return;
    context.fillStyle = colours().accent;
    const most = Math.max(1, ...this.#samples);
    const step = width / SAMPLES;
    const first = SAMPLES - this.#samples.length;
    this.#samples.forEach((sample, place) => {
      const high = (sample / most) * (height - 2);
      context.fillRect((first + place) * step, height - high, Math.max(1, step - devicePixelRatio), high);
    });
  }
}

/** The state of the store. */
export function showStore({ store }: Report): void {
  const state = byId("store-state");
  state.dataset["status"] = store.healthy ? "open" : "closed";
  say(byId("store-state-text"), store.healthy ? "well" : "in trouble");
  say(byId("store-name"), store.description);
  say(byId("store-trouble"), store.trouble ?? "");
  byId("store-trouble").hidden = store.trouble === null;
  const facts: [string, string | undefined][] = [
    ["heard", store.probe_age_seconds === null ? undefined : `${time(store.probe_age_seconds)} ago`],
    ["probe took", store.probe_round_trip_seconds === null ? undefined : time(store.probe_round_trip_seconds)],
    ["state", store.state_bytes === null ? undefined : bytes(store.state_bytes)],
    ["history", store.history_bytes === null ? undefined : bytes(store.history_bytes)],
    ["interruptions", count(store.interruptions)],
    ["commands failed", count(store.commands_failed)],
  ];
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const list = byId("store-facts");
  if (list.children.length !== told.length) list.replaceChildren(...told.map(([name]) => make("div", {}, make("dt", {}, name), make("dd", { class: "number" }))));
  told.forEach(([name, value], place) => {
    const [term, fact] = list.children[place]!.children as unknown as [HTMLElement, HTMLElement];
    say(term, name);
    say(fact, value);
  });
}

function figure(name: string, kind = "") {
  const [rate, total] = [make("span", { class: "rate number" }), make("span", { class: "total number" })];
  const whole = make("div", { class: `figure ${kind}` }, make("dt", {}, name), make("dd", {}, rate, total));
  return { whole, rate, total };
}

/** Two minutes. */
const SAMPLES = 120;
