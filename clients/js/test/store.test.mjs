// What a client is told of the store behind its server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client } from "./client.mjs";
import { redis } from "./redis.mjs";
import { line, next, point, put, serve, until } from "./server.mjs";

test("a Redis that was away is a gap for messages, and a difference for what is tracked", async (t) => {
  const store = await redis(t);
  const server = await serve(t, { arguments: ["--redis", store.url, "--channels", "*", "--publish-key", "tram14"] });
  const geocast = client(t, `${server.url}?pwd=tram14`);
  const seen = [];
  geocast.on("state", ({ status }) => seen.push(status));
  const news = geocast.subscribe("news");
  const vehicles = geocast.track("vehicles");
  await Promise.all([news.ready, vehicles.ready]);
  await geocast.publish("vehicles", point(1, 1, 1), "1");
  await until(() => vehicles.features.size === 1);

  const gap = next(news, "gap");
  await store.end();
  await assert.rejects(geocast.get("vehicles"), { code: "store_unavailable" });
  // It comes back with nothing.
  await store.start();
  assert.deepEqual(await gap, { reason: "store" });
  await until(() => vehicles.features.size === 0);
  const message = next(news, "message");
  await until(() => geocast.publish("news", "again").catch(() => undefined));
  assert.equal((await message).content, "again");
  assert.deepEqual(seen, ["connecting", "open"], "the connection was there all the time");
});

test("what is subscribed to while Redis is away comes when it is back", async (t) => {
  const store = await redis(t);
  const server = await serve(t, { arguments: ["--redis", store.url, "--channels", "*", "--publish-key", "tram14"] });
  const geocast = client(t, `${server.url}?pwd=tram14`);
  await until(() => geocast.publish("vehicles", point(1, 1, 1), "1").catch(() => undefined));
  await store.end();
  const vehicles = geocast.track("vehicles");
  const diffs = client(t, `${server.url}?pwd=tram14`);
  const drawn = new Set();
  diffs.diffs("vehicles").on("diff", ({ removeAll, remove = [], add = [] }) => {
    if (removeAll) drawn.clear();
    for (const id of remove) drawn.delete(id);
    for (const { id } of add) drawn.add(id);
  });
  const error = await next(geocast, "error");
  assert.equal(error.code, "store_unavailable");
  await store.start();
  await vehicles.ready;
  await until(() => geocast.publish("vehicles", point(2, 2, 2), "2").catch(() => undefined));
  await until(() => vehicles.features.has("2") && drawn.has(2), () => `${[...vehicles.features.keys()]}; ${[...drawn]}`);
});

test("a history in Redis outlives the server", async (t) => {
  const store = await redis(t);
  const options = ["--redis", store.url, "--channels", "*", "--publish-key", "tram14", "--history", "news=100"];
  const server = await serve(t, { arguments: options });
  const geocast = client(t, `${server.url}?pwd=tram14`);
  const heard = [];
  const news = geocast.subscribe("news", ({ content }) => heard.push(content));
  await news.ready;
  await geocast.publish("news", 0);
  await until(() => heard.length === 1);
  const { port } = server;
  const other = await serve(t, { arguments: options });
  const elsewhere = client(t, `${other.url}?pwd=tram14`);
  const recovered = next(news, "recovered");
  await server.end("SIGKILL");
  for (let i = 1; i <= 10; i++) await elsewhere.publish("news", i);
  await serve(t, { arguments: options, port });
  await recovered;
  await until(() => heard.length === 11, () => `${heard}`);
  assert.deepEqual(heard, [...heard.keys()]);
  assert.equal(typeof news.position.since, "string");
});

test("as many subscriptions as are allowed come back, and one more is refused", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  const geocast = client(t, wire.url, { timeout: 60_000 });
  const names = Array.from({ length: 128 }, (_, i) => `channel-${i}`);
  const subscriptions = names.map((name) => geocast.track(name, { interval: 0 }));
  await Promise.all(subscriptions.map(({ ready }) => ready));
  const more = geocast.subscribe("one-more");
  await assert.rejects(more.ready, { code: "limit_reached" });
  more.close();
  const waiting = next(geocast, "state", ({ status }) => status === "waiting");
  wire.cut();
  await waiting;
  for (const name of [names[0], names[127]]) await put(server, name, point(1, 1, 1));
  await until(() => [0, 127].every((i) => subscriptions[i].features.size === 1));
  assert.deepEqual((await geocast.session()).channels.sort(), names.sort());
});

test("what was missed is not taken for heard when the store does not let it be read", async (t) => {
  const store = await redis(t);
  const options = ["--redis", store.url, "--channels", "*", "--publish-key", "tram14", "--history", "news=100"];
  const server = await serve(t, { arguments: options });
  const wire = await line(t, server);
  const geocast = client(t, wire.url);
  const other = client(t, `${server.url}?pwd=tram14`);
  const [heard, published] = [[], []];
  const news = geocast.subscribe("news", ({ content }) => heard.push(content));
  await Promise.all([news.ready, other.subscribe("news", ({ content }) => published.push(content)).ready]);
  const publish = async (content) => {
    await other.publish("news", content);
    await until(() => published.at(-1) === content);
  };
  await publish(1);
  await until(() => heard.length === 1);
  assert.equal(store.cli("ACL", "SETUSER", "default", "-xrevrange"), "OK");
  const refused = next(geocast, "error");
  const recovered = next(news, "recovered");
  wire.cut();
  for (const content of [2, 3, 4]) await publish(content);
  await refused;
  await publish(5);
  assert.equal(store.cli("ACL", "SETUSER", "default", "+xrevrange"), "OK");
  await recovered;
  await publish(6);
  await until(() => heard.includes(6), () => `${heard}`);
  assert.deepEqual(heard, [1, 2, 3, 4, 5, 6]);
});
