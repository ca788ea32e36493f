import { GeocastError } from "./error.js";

/** What becomes of a request. Called at once when the answer is read, so before whatever comes after it. */
export interface Outcome {
  resolve(result: any): void;
  reject(error: GeocastError): void;
}

/** Bounds on requests. */
export interface Bounds {
  /** How long an answer may take, in milliseconds; the time without a connection counts. */
  timeout: number;
  /** How many bytes a request may have: a server closes a connection for good when it is sent more. */
  maxMessage: number;
}

interface Pending extends Outcome {
  text: string;
  timer: ReturnType<typeof setTimeout>;
}

/** Requests and their answers: JSON-RPC 2.0 over whatever sends text. */
export class Calls {
  readonly #bounds: Bounds;
  /** Sent, by id, and waiting for an answer. */
  readonly #sent = new Map<number, Pending>();
  /** Waiting for a connection. */
  readonly #waiting = new Map<number, Pending>();
  #send: ((text: string) => void) | undefined;
  #end: GeocastError | undefined;
  #id = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Whether there is a connection. */
  get isOpen(): boolean {
    return this.#send !== undefined;
  }

  /** How many have not been answered. */
  get size(): number {
    return this.#sent.size + this.#waiting.size;
  }

  /** Sends a request now, or as soon as there is a connection. */
  request(method: string, params: object | undefined, outcome: Outcome): void {
    if (this.#end) {
      outcome.reject(this.#end);
      return;
    }
    const id = ++this.#id;
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const bytes = new TextEncoder().encode(text).length;
    const { maxMessage, timeout } = this.#bounds;
    if (bytes > maxMessage) {
      outcome.reject(new GeocastError("message_too_large", `${method} has ${bytes} bytes, ${maxMessage} at most`));
    } else if (this.size >= 2 * MOST) {
      outcome.reject(tooMany());
    } else {
      const timer = setTimeout(() => {
        this.#take(id)?.reject(new GeocastError("timeout", `${method} was not answered within ${timeout} ms`));
      }, timeout);
      (this.#send ? this.#sent : this.#waiting).set(id, { ...outcome, text, timer });
      this.#send?.(text);
    }
  }

  /** The same for who waits for a promise. */
  ask<Result>(method: string, params?: object): Promise<Result> {
    // The rest is for what holds the connection together.
    if (this.size >= MOST) return Promise.reject(tooMany());
    return new Promise((resolve, reject) => this.request(method, params, { resolve, reject }));
  }

  /** Takes an answer; of one that nobody waits for any more nothing comes. */
  answered(answer: { id?: unknown; result?: unknown; error?: { code: number; message: string; data?: unknown } }): void {
    const pending = typeof answer.id === "number" ? this.#take(answer.id) : undefined;
    if (answer.error) pending?.reject(GeocastError.answered(answer.error));
    else pending?.resolve(answer.result);
  }

  /** There is a connection. `first` may ask for what has to come before what waits. */
  opened(send: (text: string) => void, first: () => void): void {
    this.#send = send;
    first();
    for (const [id, pending] of this.#waiting) {
      this.#waiting.delete(id);
      this.#sent.set(id, pending);
      send(pending.text);
    }
  }

  /** There is none any more: answers to what was sent will not come. */
  lost(error: GeocastError): void {
    this.#send = undefined;
    this.#rejectAll(this.#sent, error);
  }

  /** There will be none. */
  closed(error: GeocastError): void {
    this.#end = error;
    this.lost(error);
    this.#rejectAll(this.#waiting, error);
  }

  #rejectAll(pending: Map<number, Pending>, error: GeocastError): void {
    for (const id of [...pending.keys()]) this.#take(id)?.reject(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#sent.get(id) ?? this.#waiting.get(id);
    if (pending) clearTimeout(pending.timer);
    this.#sent.delete(id);
    this.#waiting.delete(id);
    return pending;
  }
}

function tooMany(): GeocastError {
  return new GeocastError("too_many_requests", `${MOST} requests wait for their answers already`);
}

/** How many questions may wait for their answers. */
const MOST = 1024;
