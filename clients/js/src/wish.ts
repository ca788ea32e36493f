import type { Calls } from "./calls.js";
import { Deferred } from "./deferred.js";
import type { GeocastError } from "./error.js";

/**
 * What is wished of every connection, such as the viewport: the last one counts, and is said anew on each. One request is
 * on its way at a time; of what is wished meanwhile only the newest is sent, and its answer is that of all of it.
 */
export class Wish<Params extends object, Result> {
  readonly #method: string;
  readonly #calls: Calls;
  readonly #refused: (error: GeocastError) => void;
  #wanted: Params | undefined;
  /** What a server has taken last. */
  #granted: Params | undefined;
  /** Who waits for what has not been said yet. */
  #next: Deferred<Result> | undefined;
  #isOnItsWay = false;
  #end: GeocastError | undefined;

  /** `refused` is told of what the server does not take; what was before stays in force then. */
  constructor(method: string, calls: Calls, refused: (error: GeocastError) => void) {
    this.#method = method;
    this.#calls = calls;
    this.#refused = refused;
  }

  /** What is wished, if anything. */
  get wanted(): Params | undefined {
    return this.#wanted;
  }

  /** Settles when it is in force, or refused. Who does not care may let it lie: `refused` is told as well. */
  set(params: Params): Promise<Result> {
    this.#wanted = params;
    const next = (this.#next ??= new Deferred());
    if (this.#end) this.closed(this.#end);
    else this.#say();
    return next.promise;
  }

  /** There is a new connection, which knows nothing of it. */
  opened(): void {
    if (this.#wanted !== undefined) this.#next ??= new Deferred();
    this.#say();
  }

  /** There will be no further connection. */
  closed(error: GeocastError): void {
    this.#end = error;
    this.#next?.reject(error);
    this.#next = undefined;
  }

  #say(): void {
    const asked = this.#next;
    const said = this.#wanted;
    if (!asked || !said || this.#isOnItsWay || !this.#calls.isOpen) return;
    this.#next = undefined;
    this.#isOnItsWay = true;
    this.#calls.request(this.#method, said, {
      resolve: (result) => {
        this.#isOnItsWay = false;
        this.#granted = said;
        asked.resolve(result);
        this.#say();
      },
      reject: (error) => {
        this.#isOnItsWay = false;
        if (error.code === "disconnected") {
          this.#next ??= new Deferred();
          this.#next.promise.then(asked.resolve, asked.reject);
          return;
        }
        // What was only not answered in time may be in force, and is to be.
        const isRefused = error.code !== "timeout" && error.code !== "too_many_requests";
        if (isRefused && this.#wanted === said) this.#wanted = this.#granted;
        asked.reject(error);
        if (error.code !== "closed") this.#refused(error);
        this.#say();
      },
    });
  }
}
