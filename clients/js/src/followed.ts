import { Settling } from "./settling.js";
import { Subscription } from "./subscription.js";

/**
 * A channel of which what is shown is kept in step with the server (docs/tracking.md). Each connection tells everything
 * again: when one follows another, what it tells first replaces what is shown.
 */
export abstract class Followed<Events> extends Subscription<Events> {
  readonly #settling = new Settling(() => this.replaced());
  #isAnew = false;

  /** What is shown is of another connection: what this one does not tell of is gone. */
  protected get isAnew(): boolean {
    return this.#isAnew;
  }

  /** This connection has begun to tell what is there; it is not shown before `replaced()`. */
  protected get isSettling(): boolean {
    return this.#settling.isOn;
  }

  protected override notified(method: string, params: any): void {
    // What comes before is of a subscription to this channel that has ended.
    if (!this.isInForce) return;
    if (this.#settling.isOn && this.enters(method, params)) this.#settling.goesOn();
    this.changed(method, params);
  }

  /** @internal */
  override lost(): void {
    if (this.isInForce) this.#isAnew = true;
    super.lost();
    this.#settling.end();
  }

  protected override granted(): void {
    if (this.#isAnew) this.#settling.begin();
  }

  /** The server may have begun without our knowing, and would not tell twice: it ends, and tells everything. */
  protected override again(): void {
    this.unsubscribe();
    super.again();
  }

  /** Whether a notification tells of what is there, and not of what has happened since. */
  protected abstract enters(method: string, params: any): boolean;

  /** A notification has come. */
  protected abstract changed(method: string, params: any): void;

  /** What a new connection had to tell is told, as far as can be known. */
  protected replaced(): void {
    this.#settling.end();
    this.#isAnew = false;
  }
}
