import type { Calls } from "./calls.js";
import { Deferred } from "./deferred.js";
import { Emitter } from "./emitter.js";
import { GeocastError, type ErrorCode } from "./error.js";
import { slowly, type Backoff } from "./retry.js";

/** What a subscription needs of the client it belongs to. */
export interface Home {
  calls: Calls;
  backoff: Backoff;
  /** A server did not grant the subscription, or took it away. */
  refused(error: GeocastError): void;
  /** It is over. */
  left(subscription: Subscription<any>): void;
}

/** One channel, subscribed to on every connection until `close()`. */
export abstract class Subscription<Events> extends Emitter<Events> {
  readonly channel: string;
  /** Settles when the subscription is in force for the first time, or is refused, as a `GeocastError`. */
  readonly ready: Promise<void>;
  readonly #ready = new Deferred<void>();
  readonly #home: Home;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  #isInForce = false;
  #wasInForce = false;
  #isTaken = false;

  /** @internal */
  constructor(channel: string, home: Home) {
    super();
    this.channel = channel;
    this.ready = this.#ready.promise;
    this.#home = home;
  }

  /** Whether it has ended: by `close()`, or with the client. */
  get isClosed(): boolean {
    return this.#isOver;
  }

  /** Whether this connection has granted it. */
  protected get isInForce(): boolean {
    return this.#isInForce;
  }

  /** Ends it. What it holds stays as it is, and nothing is told any more. */
  close(): void {
    if (this.#isOver) return;
    this.unsubscribe();
    this.#home.left(this);
    this.ended();
  }

  /** @internal There is a connection: subscribes. */
  opened(): void {
    clearTimeout(this.#timer);
    this.#home.calls.request("subscribe", { channel: this.channel, ...this.terms() }, {
      resolve: (result) => {
        if (this.#isOver) return;
        this.#isInForce = this.#wasInForce = true;
        this.#isTaken = false;
        this.#ready.resolve();
        this.granted(result);
      },
      reject: (error) => this.#rejected(error),
    });
  }

  /** @internal There is no connection any more. */
  lost(): void {
    clearTimeout(this.#timer);
    this.#isInForce = false;
  }

  /** @internal Nothing follows. */
  ended(error?: GeocastError): void {
    this.#isOver = true;
    this.lost();
    // Nobody waits for what was given up.
    if (error) this.#ready.reject(error);
    else this.#ready.resolve();
  }

  /** @internal A notification of this channel. */
  heard(method: string, params: any): void {
    if (method !== "ended") this.notified(method, params);
    // What has not been granted yet is answered.
    else if (this.#isInForce) this.#taken(GeocastError.answered(params.error));
  }

  /** A notification of what is subscribed to. */
  protected abstract notified(method: string, params: any): void;

  /** Without a connection there is nothing to end. */
  protected unsubscribe(): void {
    const { calls } = this.#home;
    if (calls.isOpen) calls.request("unsubscribe", { channel: this.channel }, { resolve() {}, reject() {} });
  }

  /** What `subscribe` says besides the channel. */
  protected abstract terms(): object;

  /** Whether it was refused for what it need not ask for, and asks without that now. */
  protected excuses(_error: GeocastError): boolean {
    return false;
  }

  /** Subscribes once more on this connection. */
  protected again(): void {
    this.opened();
  }

  /** The subscription is in force on this connection. */
  protected abstract granted(result: any): void;

  /** What it has brought may not be seen any more. */
  protected abstract forget(): void;

  #rejected(error: GeocastError): void {
    // With the next connection it is asked for again.
    if (this.#isOver || error.code === "disconnected" || error.code === "closed") return;
    if (this.excuses(error)) {
      this.opened();
      return;
    }
    if (error.code === "access_denied" && this.#wasInForce) {
      this.#taken(error);
      return;
    }
    if (PASSING.includes(error.code)) this.#timer = setTimeout(() => this.again(), RETRY * (1 + Math.random()));
    else this.#ready.reject(error);
    this.#home.refused(error);
  }

  /** It stays a wish. That it is refused again and again is told once. */
  #taken(error: GeocastError): void {
    this.lost();
    this.#timer = setTimeout(() => this.opened(), slowly(this.#home.backoff));
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.forget();
    this.#home.refused(error);
  }
}

/** What may be otherwise a little later. */
const PASSING: ErrorCode[] = ["busy", "store_unavailable", "timeout", "too_many_requests"];

/** How long to wait, at least, before what may pass is asked for again: milliseconds. */
const RETRY = 1000;
