import type { GeocastError } from "./error.js";
import { Subscription, type Home } from "./subscription.js";

/** A place in the history of a channel, as the server said it: goes back as it came. */
export type Offset = number | string;

/** What was published. */
export interface Message {
  /** The value; text and bytes that are no JSON come as a string and as `{"base64"}`. */
  content: any;
  /** When the server was told, in milliseconds since 1970. */
  timestamp: number;
  /** On a channel with a history. */
  offset?: Offset;
}

/** From where on to follow a channel that has a history. */
export interface Since {
  since: Offset;
  /** Of which history the offset is. */
  epoch?: string;
}

/** What is told of a subscription to messages. */
export interface MessageEvents {
  message: Message;
  /** The connection was away, and what was published meanwhile follows, without a gap. */
  recovered: { offset: Offset };
  /**
   * Messages may have been missed: while there was no `connection` or no right to read them (`access`), because the `history`
   * does not reach back, or because the server itself had lost its `store`. Who keeps a state reads it again (`get`).
   */
  gap: { reason: "access" | "connection" | "history" | "store" };
}

/**
 * A channel, message by message. After each return of the connection, or of the right to read the channel, it tells one of
 * `recovered` and `gap`.
 */
export class Messages extends Subscription<MessageEvents> {
  #offset: Offset | undefined;
  #epoch: string | undefined;
  #hadConnection = false;
  #hasLostHistory = false;
  #wasTaken = false;

  /** @internal */
  constructor(channel: string, home: Home, since: Partial<Since>) {
    super(channel, home);
    this.#offset = since.since;
    this.#epoch = since.epoch;
  }

  /** Where it stands in the channel's history; for a page that goes on from there after it was loaded again. */
  get position(): Since | undefined {
    if (this.#offset === undefined) return undefined;
    return { since: this.#offset, ...(this.#epoch === undefined ? {} : { epoch: this.#epoch }) };
  }

  protected override notified(method: string, params: any): void {
    if (method === "gap") {
      this.emit("gap", { reason: "store" });
    } else if (method === "message") {
      const { content, timestamp, offset } = params;
      // What has been missed is before it, and is asked for: it comes again behind that, or a gap is told.
      if (!this.isInForce && this.#offset !== undefined) return;
      if (this.isInForce && offset !== undefined) this.#offset = offset;
      this.emit("message", offset === undefined ? { content, timestamp } : { content, timestamp, offset });
    }
  }

  protected override terms(): object {
    return this.position ?? {};
  }

  /** The channel had a history once, or its user believes so. */
  protected override excuses({ code }: GeocastError): boolean {
    if (code !== "history_unavailable" || this.#offset === undefined) return false;
    this.#offset = this.#epoch = undefined;
    return (this.#hasLostHistory = true);
  }

  protected override granted(result: { offset?: Offset; epoch?: string; recovered?: boolean }): void {
    const wasAway = this.#hadConnection;
    const asked = this.#offset !== undefined || this.#hasLostHistory;
    this.#hadConnection = true;
    const reason = this.#wasTaken ? "access" : "connection";
    this.#hasLostHistory = this.#wasTaken = false;
    this.#offset = result.offset;
    this.#epoch = result.epoch;
    if (result.recovered && result.offset !== undefined) this.emit("recovered", { offset: result.offset });
    else if (asked) this.emit("gap", { reason: "history" });
    else if (wasAway) this.emit("gap", { reason });
  }

  /** Messages that were told are their listeners' own. */
  protected override forget(): void {
    this.#wasTaken = true;
  }
}
