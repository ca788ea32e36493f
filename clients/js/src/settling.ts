/**
 * The time in which a new connection tells what is there: over when nothing has entered for a while. Nothing says when all
 * is told; if this is over too early, what follows is told as it comes.
 */
export class Settling {
  readonly #settled: () => void;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #last: ReturnType<typeof setTimeout> | undefined;

  constructor(settled: () => void) {
    this.#settled = settled;
  }

  get isOn(): boolean {
    return this.#last !== undefined;
  }

  begin(): void {
    this.end();
    this.#last = setTimeout(() => this.#over(), LONGEST);
    this.goesOn();
  }

  /** Something has entered. */
  goesOn(): void {
    if (!this.isOn) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#over(), QUIET);
  }

  end(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#last);
    this.#quiet = this.#last = undefined;
  }

  #over(): void {
    this.end();
    this.#settled();
  }
}

/** Nothing has entered for so long: milliseconds. */
const QUIET = 150;

/** What takes longer is shown in parts: milliseconds. */
const LONGEST = 2000;
