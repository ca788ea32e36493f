import type { Frame } from "../live/tap.js";
import { byId, bytes, make, say } from "./element.js";

/** The last frames as they went over the wire. While nobody looks nothing is drawn. */
export class Frames {
  readonly #list = byId<HTMLOListElement>("frame-list");
  readonly #details = byId<HTMLDetailsElement>("frames");
  readonly #rate = byId("frame-rate");
  readonly #waiting: Frame[] = [];
  #paused = false;
  #drawing = false;

  constructor() {
    const pause = byId<HTMLButtonElement>("frames-pause");
    pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      pause.setAttribute("aria-pressed", String(this.#paused));
      say(pause, this.#paused ? "Go on" : "Pause");
      this.#drawSoon();
    });
    byId("frames-clear").addEventListener("click", () => {
      this.#waiting.length = 0;
      this.#list.replaceChildren();
    });
    this.#details.addEventListener("toggle", () => this.#drawSoon());
  }

  readonly heard = (frame: Frame): void => {
    if (this.#paused) return;
    this.#waiting.push(frame);
    if (this.#waiting.length > MOST) this.#waiting.shift();
    this.#drawSoon();
  };

  #drawSoon(): void {
    if (this.#drawing || !this.#details.open) return;
    this.#drawing = true;
    setTimeout(() => this.#draw(), EVERY);
  }

  #draw(): void {
    this.#drawing = false;
    const frames = this.#waiting.splice(0);
    this.#list.prepend(...frames.reverse().map(row));
    while (this.#list.childElementCount > MOST) this.#list.lastElementChild?.remove();
    say(this.#rate, `the last ${this.#list.childElementCount}`);
  }
}

function row({ at, direction, text }: Frame): HTMLLIElement {
  const time = new Date(at).toISOString().slice(11, 23);
  const short = text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text;
  const head = make("span", { class: "frame-head" });
  head.append(make("span", { class: "arrow" }, direction === "in" ? "←" : "→"), time, make("span", { class: "aside" }, bytes(text.length)));
  return make("li", { class: direction }, head, make("code", {}, short));
}

/** Rows that there are at most. */
const MOST = 100;
/** Characters of a frame that are shown. */
const EXCERPT = 400;
/** Between two times that rows are drawn, in milliseconds. */
const EVERY = 250;
