// A client that says what it wants and reads nothing, not even what it is greeted with.
import { once } from "node:events";
import { connect } from "node:net";

/** Sends these commands on `/ws`. `address` is what the server sees of it. */
export async function deaf(test, server, ...commands) {
  const socket = connect(server.port, "127.0.0.1");
  socket.pause();
  socket.on("error", () => {});
  test.after(() => socket.destroy());
  await once(socket, "connect");
  const head = ["GET /ws HTTP/1.1", `Host: 127.0.0.1:${server.port}`, "Connection: Upgrade", "Upgrade: websocket"];
  const key = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
  socket.write(`${[...head, ...key].join("\r\n")}\r\n\r\n`);
  for (const command of commands) socket.write(frame(command));
  return { address: `127.0.0.1:${socket.localPort}`, close: () => socket.destroy() };
}

/** A text of a client, of less than 126 bytes (RFC 6455 §5.2). A mask of zeros is one. */
function frame(text) {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
