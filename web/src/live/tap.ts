import type { SocketConstructor } from "geocast-client";

/** A text frame that went one way or the other. */
export interface Frame {
  number: number;
  /** In milliseconds since 1970. */
  at: number;
  direction: "in" | "out";
  text: string;
}

/** What a connection has carried. */
export interface Carried {
  frames: number;
  characters: number;
}

/** Reads along on the sockets that a client opens. */
export class Tap {
  readonly received: Carried = { frames: 0, characters: 0 };
  readonly Socket: SocketConstructor;
  #number = 0;

  constructor(heard: (frame: Frame) => void = () => {}) {
    const note = (direction: Frame["direction"], text: string) => {
      heard({ number: ++this.#number, at: Date.now(), direction, text });
    };
    const received = this.received;
    this.Socket = class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        this.addEventListener("message", ({ data }) => {
          if (typeof data !== "string") return;
          received.frames += 1;
          received.characters += data.length;
          note("in", data);
        });
      }

      override send(text: string): void {
        note("out", text);
        super.send(text);
      }
    };
  }
}
