import { GeocastError } from "./error.js";
import { askedFor, isFinal, isFinalStatus, jitter, TOKEN_EXPIRED, type Backoff } from "./retry.js";
import { abandon, refusedStatus, type Socket, type SocketConstructor } from "./socket.js";

/** How things are with the connection. After `closed` nothing follows. */
export type ConnectionState =
  | { status: "connecting" }
  | { status: "open" }
  /** The next attempt is so many milliseconds away, because of this. */
  | { status: "waiting"; milliseconds: number; error: GeocastError }
  /** For good: by `close()`, or because of this. */
  | { status: "closed"; error?: GeocastError };

/** Who presents a token: the token, or a function that is asked for one at each attempt. */
export type Token = string | (() => string | Promise<string>);

/** What a connection is made with. Times are in milliseconds. */
export interface Terms {
  url: string;
  token: Token | undefined;
  Socket: SocketConstructor;
  backoff: Backoff;
  /** How long opening may take. */
  patience: number;
}

/** Who is told what comes. */
export interface Owner {
  opened(): void;
  heard(text: string): void;
  /** The connection is not there any more; another one may follow. */
  lost(error: GeocastError): void;
  changed(state: ConnectionState): void;
}

/** One socket after the other, for as long as it makes sense. */
export class Connection {
  readonly #terms: Terms;
  readonly #owner: Owner;
  #state: ConnectionState = { status: "connecting" };
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failed = 0;
  #openedAt = 0;
  #presented: string | undefined;
  #expired = false;

  constructor(terms: Terms, owner: Owner) {
    this.#terms = terms;
    this.#owner = owner;
    // Listeners are added after this: nothing may happen before.
    this.#timer = setTimeout(() => this.#connect(), 0);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Gives up this socket, which answers no more, and tries another. */
  drop(error: GeocastError): void {
    if (this.#state.status === "open") this.#ended(error, undefined);
  }

  /** Ends it for good; the server is told 1000. */
  close(error?: GeocastError): void {
    if (this.#state.status === "closed") return;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      if (this.#state.status === "open" && !error) {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.onerror = () => {};
        socket.close(1000);
      } else {
        abandon(socket);
      }
    }
    this.#change(error ? { status: "closed", error } : { status: "closed" });
    this.#owner.lost(error ?? new GeocastError("closed", "the client was closed"));
  }

  async #connect(): Promise<void> {
    this.#change({ status: "connecting" });
    if (!this.#is("connecting")) return;
    const attempt = this.#giveUpIn(this.#terms.patience);
    let token: string | undefined;
    try {
      token = await this.#token();
    } catch (error) {
      if (this.#timer === attempt && this.#is("connecting")) this.#ended(new GeocastError("connection_failed", "there is no token", error), undefined);
      return;
    }
    if (this.#timer !== attempt || !this.#is("connecting")) return;
    if (this.#expired && token === this.#presented) {
      this.close(new GeocastError("closed", "the time of the token is over, and there is no other", { code: TOKEN_EXPIRED }));
      return;
    }
    this.#presented = token;
    this.#open(token === undefined ? [PROTOCOL] : [PROTOCOL, `bearer.${token}`]);
  }

  #token(): string | undefined | Promise<string> {
    const { token } = this.#terms;
    return typeof token === "function" ? token() : token;
  }

  #open(protocols: string[]): void {
    let socket: Socket;
    try {
      socket = new this.#terms.Socket(this.#terms.url, protocols);
    } catch (error) {
      // The address, or the token, is none: it will not become one.
      this.close(new GeocastError("closed", error instanceof Error ? error.message : String(error)));
      return;
    }
    let refused: number | undefined;
    this.#socket = socket;
    socket.onopen = () => {
      clearTimeout(this.#timer);
      this.#openedAt = Date.now();
      this.#expired = false;
      this.#change({ status: "open" });
      if (this.#is("open")) this.#owner.opened();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#owner.heard(data);
    };
    socket.onerror = (event) => {
      refused = refusedStatus(event) ?? refused;
      // Node 20's own socket does not close when it could not be opened.
      if (this.#is("connecting")) this.#giveUpIn(100);
    };
    socket.onclose = ({ code, reason }) => {
      if (refused !== undefined && isFinalStatus(refused)) {
        this.close(new GeocastError("closed", `the server refused the connection with status ${refused}`, { status: refused }));
      } else if (this.#state.status === "open") {
        this.#closed(code, reason);
      } else {
        this.#giveUpIn(0);
      }
    };
  }

  #giveUpIn(milliseconds: number): ReturnType<typeof setTimeout> {
    clearTimeout(this.#timer);
    const failed = new GeocastError("connection_failed", "no connection could be opened");
    return (this.#timer = setTimeout(() => this.#ended(failed, undefined), milliseconds));
  }

  #closed(code: number, reason: string): void {
    const said = reason ? `closed with code ${code}: ${reason}` : `closed with code ${code}`;
    const another = code === TOKEN_EXPIRED && typeof this.#terms.token === "function";
    if (isFinal(code) || (code === TOKEN_EXPIRED && !another)) {
      this.close(new GeocastError("closed", said, { code, reason }));
      return;
    }
    this.#expired = another;
    this.#ended(new GeocastError("disconnected", said, { code, reason }), askedFor(code, reason));
  }

  #ended(error: GeocastError, asked: number | undefined): void {
    clearTimeout(this.#timer);
    const wasOpen = this.#state.status === "open";
    if (this.#socket) abandon(this.#socket);
    this.#socket = undefined;
    // A server that takes connections only to end them is no better than one that takes none.
    if (asked !== undefined || (wasOpen && Date.now() - this.#openedAt >= STABLE)) this.#failed = 0;
    const milliseconds = asked ?? jitter(this.#failed, this.#terms.backoff);
    this.#failed += 1;
    this.#timer = setTimeout(() => this.#connect(), milliseconds);
    this.#change({ status: "waiting", milliseconds, error });
    if (wasOpen) this.#owner.lost(error);
  }

  /** Who is told of a change may close the connection at once. */
  #is(status: ConnectionState["status"]): boolean {
    return this.#state.status === status;
  }

  #change(state: ConnectionState): void {
    this.#state = state;
    this.#owner.changed(state);
  }
}

const PROTOCOL = "geocast.rpc";

/** A connection that lasted so long, in milliseconds, was one. */
const STABLE = 5000;
