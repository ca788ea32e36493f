import type { Calls } from "./calls.js";

/** Asks a silent connection for a sign of life. A page is not told of the server's pings, nor of a line that is cut. */
export class Heartbeat {
  readonly #silence: number;
  readonly #calls: Calls;
  readonly #dead: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #wasHeard = false;

  /** `silence` is in milliseconds. */
  constructor(silence: number, calls: Calls, dead: () => void) {
    this.#silence = silence;
    this.#calls = calls;
    this.#dead = dead;
  }

  begin(): void {
    this.end();
    this.#timer = setInterval(() => this.#look(), this.#silence);
  }

  heard(): void {
    this.#wasHeard = true;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const wasHeard = this.#wasHeard;
    this.#wasHeard = false;
    if (wasHeard) return;
    const reject = ({ code }: { code: string }) => {
      if (code === "timeout" && !this.#wasHeard) this.#dead();
    };
    this.#calls.request("ping", undefined, { resolve() {}, reject });
  }
}
