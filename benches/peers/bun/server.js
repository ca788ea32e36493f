// A gateway of the smallest kind on Bun's own publish: greeting, SUB, and the envelope that geocast sends, so that both
// write the same bytes. Messages come in by POST /api/publish/{channel}, by a WebSocket at /publish/{channel}, or from Redis.
// PORT=3000 REDIS=redis://127.0.0.1 CHANNEL=bench bun server.js

const envelope = (source, content) =>
  `{"source":"${source}","content":${content},"timestamp":${Date.now().toFixed(1)},"client_reference":null}`;
const publish = (channel, payload) => server.publish(channel, envelope(channel, payload));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 3000),
  async fetch(request, server) {
    const path = new URL(request.url).pathname;
    const publisher = path.match(/^\/publish\/(.+)$/)?.[1];
    if (server.upgrade(request, { data: publisher })) return;
    const channel = path.match(/^\/api\/publish\/(.+)$/)?.[1];
    if (request.method !== "POST" || !channel) return new Response("no", { status: 404 });
    publish(channel, await request.text());
    return new Response("{}");
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      if (!socket.data) socket.send(envelope("websocket", '{"status":"open"}'));
    },
    message(socket, text) {
      if (socket.data) publish(socket.data, text);
      else if (text.startsWith("SUB ")) socket.subscribe(text.slice(4));
    },
  },
});

if (process.env.REDIS) {
  const channel = process.env.CHANNEL ?? "bench";
  const redis = new Bun.RedisClient(process.env.REDIS);
  await redis.subscribe(channel, (payload) => publish(channel, payload));
}
console.error(`bun ${Bun.version} listens on ${server.hostname}:${server.port}`);
