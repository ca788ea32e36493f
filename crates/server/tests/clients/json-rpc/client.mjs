// A JSON-RPC 2.0 client that knows nothing of geocast: `node client.mjs ws://127.0.0.1:8765/rpc`.
// Prints what it was answered and pushed, one JSON object.

import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from "json-rpc-2.0";
import WebSocket from "ws";

const socket = new WebSocket(process.argv[2]);
const pushed = [];
let wake = () => {};
const peer = new JSONRPCServerAndClient(
  new JSONRPCServer(),
  new JSONRPCClient((request) => socket.send(JSON.stringify(request))),
);
peer.addMethod("message", (push) => {
  pushed.push(push);
  wake();
});
socket.on("message", (data) => peer.receiveAndSend(JSON.parse(data.toString())));
await new Promise((opened) => socket.once("open", opened));

const subscribed = await peer.request("subscribe", { channel: "news" });
const published = await peer.request("publish", ["news", { text: "from npm" }]);
while (pushed.length === 0) await new Promise((pushed) => (wake = pushed));
const batch = await peer.requestAdvanced([
  { jsonrpc: "2.0", id: 101, method: "ping" },
  { jsonrpc: "2.0", id: 102, method: "get", params: { channel: "news" } },
]);
const refused = await peer.request("projection", ["EPSG:999998"]).then(
  () => "accepted",
  (error) => ({ code: error.code, message: error.message }),
);
console.log(JSON.stringify({ subscribed, published, pushed, batch, refused }));
socket.close();
