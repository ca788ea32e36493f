import type { Account, Client, Session } from "geocast-client";
import type { Carried } from "../live/tap.js";
import { colours } from "../theme.js";
import { bytes, count, make, say } from "./element.js";

interface Sample {
  /** How long it took, in seconds. */
  seconds: number;
  granted: number;
  withheld: number;
  frames: number;
  characters: number;
}

/** What was published on the channel, and what of it came here: what the server's `session` says, second by second. */
export class Flow {
  readonly #client: Client;
  readonly #received: Carried;
  readonly #channel: () => string | undefined;
  readonly #figures = { events: figure("published"), granted: figure("delivered"), withheld: figure("withheld") };
  readonly #chart = make("canvas", { class: "chart", role: "img", "aria-label": "Delivered and withheld in the last minute" });
  readonly #reasons = make("dl", { class: "reasons" });
  readonly #rate = make("p", { class: "note number" });
  readonly #samples: Sample[] = [];
  #last: { at: number; account: Account; received: Carried } | undefined;
  #timer: ReturnType<typeof setTimeout>;

  constructor(container: HTMLElement, client: Client, received: Carried, channel: () => string | undefined) {
    this.#client = client;
    this.#received = received;
    this.#channel = channel;
    const figures = make("dl", { class: "figures" }, ...Object.values(this.#figures).map(({ whole }) => whole));
    container.replaceChildren(figures, this.#chart, this.#rate, this.#reasons);
    this.#timer = setTimeout(() => this.#ask(), INTERVAL);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    try {
      if (this.#client.state.status === "open" && !document.hidden) this.#told(await this.#client.session());
      else this.#last = undefined;
    } catch {
      // The connection went, which is said elsewhere.
      this.#last = undefined;
    }
    if (this.#client.state.status !== "closed") this.#timer = setTimeout(() => this.#ask(), INTERVAL);
  }

  #told(session: Session): void {
    const channel = this.#channel();
    const account = channel === undefined ? undefined : session.accounts[channel];
    if (!account) return;
    const last = this.#last;
    const at = performance.now();
    this.#last = { at, account, received: { ...this.#received } };
    this.#show(account);
    // A subscription that is new begins to count anew.
    if (!last || account.events < last.account.events) return;
    const granted = account.granted - last.account.granted;
    this.#samples.push({
      seconds: (at - last.at) / 1000,
      granted,
      withheld: account.events - last.account.events - granted,
      frames: this.#received.frames - last.received.frames,
      characters: this.#received.characters - last.received.characters,
    });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#rates();
    this.#draw();
  }

  #show({ events, granted, withheld }: Account): void {
    const said = this.#figures;
    say(said.events.total, count(events));
    say(said.granted.total, count(granted));
    say(said.withheld.total, count(events - granted));
    const reasons = Object.entries(withheld).sort(([, one], [, other]) => other - one);
    if (reasons.length === 0) {
      this.#reasons.replaceChildren(make("div", { class: "none" }, make("dt", {}, "Nothing is withheld.")));
      return;
    }
    const most = events || 1;
    this.#reasons.replaceChildren(
      ...reasons.map(([reason, number]) => {
        const bar = make("meter", { min: "0", max: String(most), value: String(number), "aria-hidden": "true" });
        const why = REASONS[reason] ?? reason;
        return make("div", {}, make("dt", {}, make("code", {}, reason), ` ${why}`), make("dd", { class: "number" }, count(number)), bar);
      }),
    );
  }

  #rates(): void {
    const latest = this.#samples.slice(-5);
    const sum = (of: (sample: Sample) => number) => latest.reduce((sum, sample) => sum + of(sample), 0);
    const seconds = sum((sample) => sample.seconds) || 1;
    const mean = (of: (sample: Sample) => number) => sum(of) / seconds;
    const rate = (number: number) => `${number > 0 && number < 10 ? number.toFixed(1) : count(Math.round(number))}/s`;
    say(this.#figures.events.rate, rate(mean(({ granted, withheld }) => granted + withheld)));
    say(this.#figures.granted.rate, rate(mean(({ granted }) => granted)));
    say(this.#figures.withheld.rate, rate(mean(({ withheld }) => withheld)));
    say(this.#rate, `${rate(mean(({ frames }) => frames))} frames, ${bytes(mean(({ characters }) => characters))}/s`);
  }

  #draw(): void {
    const canvas = this.#chart;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext("2d");
    if (!context) return;
    const { accent, withheld: aside } = colours();
    context.scale(ratio, ratio);
    const most = Math.max(1, ...this.#samples.map(({ granted, withheld }) => granted + withheld));
    const wide = width / SAMPLES;
    this.#samples.forEach(({ granted, withheld }, i) => {
      const x = width - (this.#samples.length - i) * wide;
      const [delivered, all] = [(granted / most) * height, ((granted + withheld) / most) * height];
      context.fillStyle = aside;
      context.fillRect(x, height - all, wide - 1, all - delivered);
      context.fillStyle = accent;
      context.fillRect(x, height - delivered, wide - 1, delivered);
    });
  }
}

/** A number since the subscription began, and how many it is a second. */
function figure(name: string): { whole: HTMLElement; rate: HTMLElement; total: HTMLElement } {
  const rate = make("span", { class: "rate number" }, "–");
  const total = make("span", { class: "total number" }, "0");
  const whole = make("div", { class: `figure ${name}` }, make("dt", {}, name), make("dd", {}, rate, total));
  return { whole, rate, total };
}

/** Why something was not sent, for those who see the word for the first time (docs/protocol.md has all of it). */
const REASONS: Record<string, string> = {
  outside: "not in this viewport",
  filtered: "of a kind that is not asked for",
  still: "moved less than a pixel",
  unprojectable: "has no place in this projection",
  replaced: "a newer state came first",
  slow: "this connection reads too slowly",
  untracked: "more than the server keeps of a channel",
  access: "the token does not show it",
  own: "sent from here",
  too_deep: "nested too deeply",
  too_many_vertices: "too many positions",
};

/** Between two questions, in milliseconds. */
const INTERVAL = 1000;
/** A minute of them. */
const SAMPLES = 60;
