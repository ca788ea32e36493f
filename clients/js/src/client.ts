import type { History, Session, State, ViewportInForce } from "./answers.js";
import { Calls } from "./calls.js";
import { Connection, type ConnectionState, type Token } from "./connection.js";
import { Diffs } from "./diffs.js";
import { Emitter } from "./emitter.js";
import { GeocastError } from "./error.js";
import { Heartbeat } from "./heartbeat.js";
import { Messages, type Message, type Offset, type Since } from "./messages.js";
import type { Backoff } from "./retry.js";
import { globalSocket, socketUrl, type SocketConstructor } from "./socket.js";
import type { Home, Subscription } from "./subscription.js";
import { Tracked, type TrackOptions } from "./tracked.js";
import { viewportParams, type Crs, type Viewport } from "./viewport.js";
import { Wish } from "./wish.js";

/** How a client behaves. Times are in milliseconds. */
export interface Options {
  /** A JSON Web Token (docs/access.md), or a function that is asked for one at each attempt to connect. */
  token?: Token;
  /** What opens connections, where there is no global WebSocket: that of the package `ws`. */
  WebSocket?: SocketConstructor;
  /** How long an answer, or opening a connection, may take. 15 000 if left out. */
  timeout?: number;
  /** A connection that was silent for so long is asked for a sign of life. 30 000 if left out. */
  heartbeat?: number;
  /** How long to wait between attempts to connect. */
  backoff?: Backoff;
  /** How many bytes a request may have. 16 384 if left out, as for a server without `--max-message`. */
  maxMessage?: number;
}

/** What is told of a client. */
export interface ClientEvents {
  /** The state of the connection, whenever it changes. */
  state: ConnectionState;
  /**
   * What nobody waits for has failed: a viewport or a subscription was refused, a subscription was taken away, or the
   * connection is closed for good.
   */
  error: GeocastError;
}

/** A client that stays connected. Nothing is awaited before use: what is asked for early is sent when it can be. */
export function connect(url: string | URL, options: Options = {}): Client {
  return new Client(url, options);
}

/**
 * One connection after the other to a geocast server. Viewport, projection, buffer and subscriptions are *wishes*: they are
 * kept, and said again to each connection. `get`, `publish`, `history` and `session` are *questions*, each asked once.
 */
export class Client extends Emitter<ClientEvents> {
  readonly #calls: Calls;
  readonly #connection: Connection;
  readonly #heartbeat: Heartbeat;
  readonly #subscriptions = new Map<string, Subscription<any>>();
  readonly #home: Home;
  readonly #wishes: {
    projection: Wish<{ crs: Crs }, { crs: Crs }>;
    viewport: Wish<object, ViewportInForce>;
    buffer: Wish<object, { milliseconds: number; count: number }>;
  };

  constructor(url: string | URL, options: Options = {}) {
    super();
    const { timeout = 15_000, heartbeat = 30_000, maxMessage = 16_384, backoff = {}, token } = options;
    const calls = (this.#calls = new Calls({ timeout, maxMessage }));
    const refused = (error: GeocastError) => this.#failed(error);
    this.#home = { calls, backoff, refused, left: ({ channel }) => void this.#subscriptions.delete(channel) };
    this.#wishes = {
      projection: new Wish("projection", calls, refused),
      viewport: new Wish("viewport", calls, refused),
      buffer: new Wish("buffer", calls, refused),
    };
    this.#heartbeat = new Heartbeat(heartbeat, calls, () => {
      this.#connection.drop(new GeocastError("disconnected", "the server did not answer"));
    });
    const terms = {
      url: socketUrl(url),
      token,
      Socket: options.WebSocket ?? globalSocket(),
      backoff,
      patience: timeout,
    };
    this.#connection = new Connection(terms, {
      opened: () => this.#opened(),
      heard: (text) => this.#heard(text),
      lost: (error) => this.#lost(error),
      changed: (state) => this.#changed(state),
    });
  }

  /** How things are with the connection. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Coordinates come in this system from now on; EPSG:4326, degrees, without it. */
  projection(crs: Crs): Promise<{ crs: Crs }> {
    return this.#wishes.projection.set({ crs });
  }

  /** Looks there; without anything, at everything. The promise settles when that is in force. */
  viewport(viewport: Viewport = {}): Promise<ViewportInForce> {
    const projection = this.#wishes.projection.wanted?.crs ?? "EPSG:4326";
    return this.#wishes.viewport.set(viewportParams(viewport, projection));
  }

  /** Has what is pushed collected by the server, for so many milliseconds or so many messages; two zeros end that. */
  buffer(milliseconds: number, count: number): Promise<{ milliseconds: number; count: number }> {
    return this.#wishes.buffer.set({ milliseconds, count });
  }

  /** Follows what is published on a channel. `since` goes on from a place in its history. */
  subscribe(channel: string, listener?: (message: Message) => void, since: Partial<Since> = {}): Messages {
    const messages = this.#add(channel, () => new Messages(channel, this.#home, since));
    if (listener) messages.on("message", listener);
    return messages;
  }

  /** Follows what of a channel's state is in the viewport, as a Map. */
  track(channel: string, options: TrackOptions = {}): Tracked {
    return this.#add(channel, () => new Tracked(channel, this.#home, options));
  }

  /** The same as diffs for `updateData` of MapLibre. */
  diffs(channel: string): Diffs {
    return this.#add(channel, () => new Diffs(channel, this.#home));
  }

  /** The state of a channel, as far as it is in the viewport; one key of it if one is named. */
  get(channel: string, { key, projection }: { key?: string; projection?: Crs } = {}): Promise<State> {
    return this.call("get", { channel, key, projection });
  }

  /** Publishes any value; with a key it becomes the channel's state of that key. Settles once the store has it. */
  publish(channel: string, data: unknown, key?: string): Promise<{ channel: string; key?: string; offset?: Offset; epoch?: string }> {
    return this.call("publish", { channel, data, key });
  }

  /** What was published on a channel: the last messages, or those behind an offset. */
  history(
    channel: string,
    { since, epoch, limit }: { since?: Offset; epoch?: string; limit?: number } = {},
  ): Promise<History> {
    return this.call("history", { channel, since, epoch, limit });
  }

  /** What the server believes about this connection, and what has become of events. */
  session(): Promise<Session> {
    return this.call("session");
  }

  /** Any other method of the server: `client.call("rpc.discover")` describes all of them. */
  call<Result>(method: string, params?: object): Promise<Result> {
    return this.#calls.ask<Result>(method, params);
  }

  /** Ends the connection, all subscriptions, and everything that is waited for. */
  close(): void {
    this.#connection.close();
  }

  #add<Kind extends Subscription<any>>(channel: string, make: () => Kind): Kind {
    if (this.#subscriptions.has(channel)) throw new TypeError(`${channel} is subscribed to already: close() that first`);
    const subscription = make();
    if (this.state.status === "closed") {
      subscription.ended(new GeocastError("closed", "the client was closed"));
      return subscription;
    }
    this.#subscriptions.set(channel, subscription);
    if (this.#calls.isOpen) subscription.opened();
    return subscription;
  }

  #opened(): void {
    this.#heartbeat.begin();
    this.#calls.opened((text) => this.#connection.send(text), () => {
      for (const wish of Object.values(this.#wishes)) wish.opened();
      for (const subscription of this.#subscriptions.values()) subscription.opened();
    });
  }

  #heard(text: string): void {
    this.#heartbeat.heard();
    let said: any;
    try {
      said = JSON.parse(text);
    } catch {
      this.#failed(new GeocastError("invalid_message", "the server sent what is no JSON: is this a geocast server?"));
      return;
    }
    // A buffer comes as an array.
    for (const message of Array.isArray(said) ? said : [said]) {
      if (typeof message?.method === "string") {
        this.#subscriptions.get(message.params?.source)?.heard(message.method, message.params);
      } else {
        this.#calls.answered(message ?? {});
      }
    }
  }

  #lost(error: GeocastError): void {
    this.#heartbeat.end();
    if (this.state.status !== "closed") {
      this.#calls.lost(new GeocastError("disconnected", `no answer: the connection was ${error.message}`, error.data));
      for (const subscription of this.#subscriptions.values()) subscription.lost();
      return;
    }
    this.#calls.closed(error);
    for (const wish of Object.values(this.#wishes)) wish.closed(error);
    for (const subscription of this.#subscriptions.values()) subscription.ended(error);
    this.#subscriptions.clear();
  }

  #changed(state: ConnectionState): void {
    this.emit("state", state);
    if (state.status === "closed" && state.error) this.#failed(state.error);
  }

  #failed(error: GeocastError): void {
    // Better than silence, where nobody listens.
    if (!this.emit("error", error)) console.warn(`geocast: ${error.message}`);
  }
}
