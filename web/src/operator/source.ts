import { Emitter } from "../emitter.js";
import type { Report } from "./report.js";

interface Events {
  report: Report;
  /** There is none for now; it is asked for again. */
  trouble: string;
  /** A token is wanted: there was none, or it is not the right one. */
  refused: string;
}

/** A page of connections. */
export interface Page {
  /** Only connections with greater ids. */
  after: number;
}

/** Asks a server how it is, each second while somebody can see it. */
export class Source extends Emitter<Events> {
  page: Page = { after: 0 };
  #token: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is asked is of no interest any more when it is another. */
  #round = 0;

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => this.ask());
  }

  use(token: string): void {
    this.#token = token;
    this.ask();
  }

  /** Asks at once, and then each second. */
  ask(): void {
    clearTimeout(this.#timer);
    if (this.#token === undefined || document.hidden) return;
    void this.#ask(++this.#round, this.#token);
  }

  async #ask(round: number, token: string): Promise<void> {
    const began = performance.now();
    const answer = await answerOf(token, this.page);
    if (round !== this.#round) return;
    if ("refused" in answer) {
      this.#token = undefined;
      this.emit("refused", answer.refused);
      return;
    }
    if ("report" in answer) this.emit("report", answer.report);
    else this.emit("trouble", answer.trouble);
    this.#timer = setTimeout(() => this.ask(), Math.max(INTERVAL - (performance.now() - began), LEAST_PAUSE));
  }
}

type Answer = { report: Report } | { trouble: string } | { refused: string };

async function answerOf(token: string, { after }: Page): Promise<Answer> {
  const address = new URL("api/operator", document.baseURI);
  address.searchParams.set("after", String(after));
  address.searchParams.set("limit", String(PAGE));
  try {
    const response = await fetch(address, {
      headers: { authorization: `Bearer ${token}` },
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.ok) return { report: (await response.json()) as Report };
    if (response.status === 401) return { refused: "This is not the token of this server's operator." };
    if (response.status === 404) return { refused: "This server shows operators nothing. It has to be started with --operator-token-file FILE." };
    return { trouble: response.status === 429 ? "others are asking" : `answers ${response.status}` };
  } catch {
    return { trouble: "no answer" };
  }
}

const INTERVAL = 1000;
/** Between an answer that took long and the next question. */
const LEAST_PAUSE = 250;
const PATIENCE = 15_000;

/** Connections on a page. */
export const PAGE = 1000;
