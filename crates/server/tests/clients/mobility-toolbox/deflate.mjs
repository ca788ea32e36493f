// Clients of the package `ws`, which compress all they send, by remote control.
//
// Usage: node deflate.mjs URL NUMBER. Each line of the input is sent by each client. Each line of the output is a report
// of a client, by its number: that it is open and what was agreed upon, a text, or that it was closed.
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [url, number] = process.argv.slice(2);

function report(client, event) {
  process.stdout.write(`${JSON.stringify({ client, ...event })}\n`);
}

const sockets = Array.from({ length: Number(number) }, (_, client) => {
  const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
  let before = 0;
  socket.on("upgrade", (response) => {
    report(client, { agreed: response.headers["sec-websocket-extensions"] ?? null });
  });
  socket.on("message", (data, isBinary) => {
    const total = socket._socket.bytesRead;
    report(client, { text: data.toString(), isBinary, bytes: total - before });
    before = total;
  });
  socket.on("error", (error) => report(client, { error: String(error) }));
  socket.on("close", (code) => report(client, { closed: code }));
  return socket;
});

for await (const line of createInterface({ input: process.stdin })) {
  sockets.forEach((socket) => socket.send(line));
}
