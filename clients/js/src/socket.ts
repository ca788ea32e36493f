/** What is needed of a WebSocket: browsers and Node 22 have one, and the package `ws` is one. */
export interface Socket {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Makes such a socket. */
export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** The global one, or an error that says what to do where there is none. */
export function globalSocket(): SocketConstructor {
  const found = (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (!found) {
    throw new TypeError('there is no global WebSocket here: pass one, connect(url, { WebSocket }), such as that of "ws"');
  }
  return found;
}

/** An absolute address of a WebSocket. A page may name a path of its own server: `/rpc`. */
export function socketUrl(address: string | URL): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const url = new URL(address, page);
  url.protocol = url.protocol.replace(/^http/, "ws");
  return url.href;
}

/** Turns away from a socket: nothing of it is heard any more, and what is open is closed as fast as it can be. */
export function abandon(socket: Socket & { terminate?: () => void }): void {
  socket.onopen = socket.onmessage = socket.onclose = null;
  // That of "ws" throws where nobody listens to its errors.
  socket.onerror = () => {};
  // A peer that does not answer would not answer the closing handshake either.
  if (socket.terminate) socket.terminate();
  else socket.close();
}

/**
 * The HTTP status with which a handshake was refused, as far as it is told: "ws" says it in its error, a page is told nothing.
 */
export function refusedStatus(event: { message?: unknown }): number | undefined {
  const said = typeof event.message === "string" ? /server response: (\d{3})/.exec(event.message) : null;
  return said ? Number(said[1]) : undefined;
}
