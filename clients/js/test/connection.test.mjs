import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { client } from "./client.mjs";
import { Source } from "./maplibre.mjs";
import { line, next, point, put, serve, until } from "./server.mjs";
import { secret, token } from "./token.mjs";

const isOpen = ({ status }) => status === "open";

/** The states of a connection, by name. */
function states(geocast) {
  const seen = [];
  geocast.on("state", ({ status }) => seen.push(status));
  return seen;
}

test("when the line is cut, wishes are said again and the difference is told", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  for (const [id, x] of [[1, 1], [2, 2], [3, 3], [4, 40]]) await put(server, "vehicles", point(id, x, 0));
  const geocast = client(t, wire.url);
  const seen = states(geocast);
  await geocast.projection("EPSG:3857");
  await geocast.viewport({ bbox: [0, -1, 10, 1], crs: "EPSG:4326", fields: [] });
  await geocast.projection("EPSG:4326");
  const vehicles = geocast.track("vehicles");
  await until(() => vehicles.features.size === 3);
  const batches = [];
  vehicles.on("changes", (changes) => batches.push(changes));

  wire.cut();
  await next(geocast, "state", ({ status }) => status === "waiting");
  assert.equal(vehicles.features.size, 3, "the map stays as it is");
  await put(server, "vehicles", point(1, 1.5, 0));
  await put(server, "vehicles", point(2, 20, 0));
  await put(server, "vehicles", point(4, 4, 0));
  await until(() => batches.length > 0);
  assert.deepEqual(vehicles.features, new Map([1, 3, 4].map((id) => [`${id}`, point(id, [, 1.5, , 3, 4][id], 0)])));
  // Unless it came back before all that was done, it is one change, in which nothing blinks.
  const [{ entered, updated, left }] = batches;
  if (batches.length === 1) {
    const keys = (changes) => changes.map(({ key }) => key).sort();
    assert.deepEqual([keys(entered), keys(updated), keys(left)], [["4"], ["1", "3"], ["2"]]);
    assert.equal(left[0].reason, "reconnected");
  }
  assert.deepEqual(seen.slice(0, 4), ["connecting", "open", "waiting", "connecting"]);
  assert.equal(seen.at(-1), "open");
  assert.deepEqual((await geocast.session()).viewport, {
    bbox: [0, -1, 10, 1],
    crs: "EPSG:4326",
    fields: [],
    members: "whole",
  });
  assert.deepEqual(geocast.errors, []);
});

test("a map is right however often the line is cut while everything moves", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  const geocast = client(t, wire.url);
  void geocast.viewport({ bbox: [0, -1, 10, 1] });
  const vehicles = geocast.track("vehicles");
  const mirrored = new Map();
  vehicles.on("enter", ({ key, feature }) => {
    assert.ok(!mirrored.has(key));
    mirrored.set(key, feature);
  });
  vehicles.on("update", ({ key, feature }) => {
    assert.ok(mirrored.has(key));
    mirrored.set(key, feature);
  });
  vehicles.on("leave", ({ key }) => assert.ok(mirrored.delete(key)));
  const diffs = client(t, wire.url);
  void diffs.viewport({ bbox: [0, -1, 10, 1] });
  const source = new Source();
  diffs.diffs("vehicles").on("diff", (diff) => source.updateData(diff));
  for (let round = 0; round < 10; round++) {
    const moved = Array.from({ length: 60 }, (_, id) => put(server, "vehicles", point(id, (id * 7 + round * 3) % 20, 0)));
    await Promise.all(moved.slice(0, 30));
    wire.cut();
    await Promise.all(moved);
    if (round % 2) await until(() => isOpen(geocast.state) && isOpen(diffs.state));
  }
  const { values } = await until(() => geocast.get("vehicles").catch(() => undefined));
  const expected = new Map(values.map((feature) => [`${feature.id}`, feature]));
  const sorted = (map) => [...map].sort(([a], [b]) => Number(a) - Number(b));
  const are = (map) => JSON.stringify(sorted(map)) === JSON.stringify(sorted(expected));
  await until(() => are(vehicles.features), () => `${vehicles.features.size} of ${expected.size}`);
  assert.ok(are(mirrored));
  const drawn = () => new Map([...source.features].map(([id, feature]) => [`${id}`, feature]));
  await until(() => are(drawn()), () => `${drawn().size} drawn of ${expected.size}`);
});

test("messages of a channel with a history are recovered, others are said to be missing", async (t) => {
  const server = await serve(t, { arguments: ["--history", "news=100"] });
  const wire = await line(t, server);
  const publisher = client(t, server.url);
  const geocast = client(t, wire.url);
  const heard = [];
  const news = geocast.subscribe("news", ({ content }) => heard.push(content));
  const other = geocast.subscribe("other");
  await Promise.all([news.ready, other.ready]);
  await publisher.publish("news", 0);
  await until(() => heard.length === 1);
  let gaps = 0;
  news.on("gap", () => gaps++);
  for (let round = 1; round <= 3; round++) {
    const recovered = next(news, "recovered");
    const gap = next(other, "gap");
    wire.cut();
    for (let i = 1; i <= 20; i++) await publisher.publish("news", 20 * (round - 1) + i);
    await recovered;
    assert.deepEqual(await gap, { reason: "connection" });
    await until(() => heard.length === 1 + 20 * round, () => `${heard}`);
  }
  assert.deepEqual(heard, [...heard.keys()]);
  assert.equal(gaps, 0);
});

test("a server that restarts says when to come back, and is come back to", async (t) => {
  const server = await serve(t, { arguments: ["--history", "news=100"] });
  await put(server, "vehicles", point(1, 1, 1));
  await put(server, "vehicles", point(2, 2, 2));
  const geocast = client(t, server.url);
  const vehicles = geocast.track("vehicles");
  const news = geocast.subscribe("news");
  await news.ready;
  await until(() => vehicles.features.size === 2);
  const waiting = next(geocast, "state", ({ status }) => status === "waiting");
  const lost = geocast.get("vehicles");
  const outcome = lost.then(() => "answered", ({ code }) => code);
  await server.end("SIGTERM");
  const { milliseconds, error } = await waiting;
  assert.deepEqual([error.code, error.data.code], ["disconnected", 1012]);
  assert.equal(error.data.reason, `server restarts; retry in ${milliseconds} ms`);
  assert.ok(milliseconds >= 500 && milliseconds <= 5000);
  assert.ok(["answered", "disconnected"].includes(await outcome));

  // Asked while there is nobody, answered by the next server. Its state, and its history, are others.
  const asked = geocast.publish("vehicles", point(3, 3, 3), "3");
  const gap = next(news, "gap");
  const second = await serve(t, { port: server.port, arguments: ["--history", "news=100"] });
  assert.deepEqual(await asked, { channel: "vehicles", key: "3" });
  assert.deepEqual(await gap, { reason: "history" });
  await until(() => vehicles.features.size === 1);
  assert.deepEqual([...vehicles.features.keys()], ["3"]);

  // The third has no history at all.
  const another = next(news, "gap");
  await second.end("SIGKILL");
  await serve(t, { port: server.port });
  assert.deepEqual(await another, { reason: "history" });
  assert.equal(news.position, undefined);
  const heard = next(news, "message");
  await geocast.publish("news", "all is well");
  assert.equal((await heard).content, "all is well");
  await until(() => vehicles.features.size === 0);
  assert.deepEqual(geocast.errors, []);
});

test("a server that does not answer any more is left", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  const geocast = client(t, wire.url, { heartbeat: 500, timeout: 2000 });
  const news = geocast.subscribe("news");
  await news.ready;
  const gap = next(news, "gap");
  const waiting = next(geocast, "state", ({ status }) => status === "waiting");
  wire.hold();
  assert.equal((await waiting).error.message, "the server did not answer");
  await gap;
  assert.equal(await geocast.call("ping"), "pong");
});

test("where a map looks is not forgotten by a server that had no time to answer", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url, { timeout: 2000 });
  await until(() => isOpen(geocast.state));
  server.signal("SIGSTOP");
  const lost = geocast.viewport({ bbox: [0, 0, 7, 7] });
  await assert.rejects(lost, { code: "timeout" });
  const waiting = next(geocast, "state", ({ status }) => status === "waiting");
  await server.end("SIGKILL");
  await waiting;
  await serve(t, { port: server.port });
  const { viewport } = await until(() => geocast.session().catch(() => undefined));
  assert.deepEqual(viewport.bbox, [0, 0, 7, 7]);
  assert.deepEqual(geocast.errors.map(({ code }) => code), ["timeout"]);
});

test("nobody there is waited for, longer and longer, and not for ever the same time", async (t) => {
  const server = await serve(t);
  await server.end("SIGTERM");
  const geocast = client(t, server.url, { backoff: { first: 20, longest: 100 } });
  const waits = [];
  geocast.on("state", ({ milliseconds }) => milliseconds !== undefined && waits.push(milliseconds));
  // More may have come meanwhile.
  await until(() => waits.length >= 12);
  assert.ok(waits.every((wait) => wait >= 0 && wait <= 100), `${waits}`);
  assert.ok(waits[0] <= 20 && waits[1] <= 40, `${waits}`);
  assert.ok(new Set(waits).size > 6, `${waits}`);
  await serve(t, { port: server.port });
  await until(() => isOpen(geocast.state));
});

test("a token is presented, and one that is refused is not presented again", async (t) => {
  const server = await jwtServer(t);
  const geocast = client(t, server.url, { token: token({ sub: ["team"], pub: ["team"] }) });
  await geocast.publish("team", 1, "k");
  assert.deepEqual((await geocast.get("team")).values, [1]);
  const stranger = client(t, server.url);
  await assert.rejects(stranger.get("team"), { code: "access_denied" });
  if (process.env.OWN_WEBSOCKET) return; // As in a page, nobody says why.
  const refused = client(t, server.url, { token: token({ sub: ["team"] }, "another secret of more than 32 bytes") });
  const seen = states(refused);
  await assert.rejects(refused.get("team"), { code: "closed", data: { status: 401 } });
  assert.deepEqual(seen, ["connecting", "closed"]);
  assert.equal(refused.errors[0].message, "the server refused the connection with status 401");
  await assert.rejects(refused.track("team").ready, { code: "closed" });
  await assert.rejects(refused.viewport({ bbox: [0, 0, 1, 1] }), { code: "closed" });
  const nowhere = client(t, server.url.replace("/rpc", "/nowhere"));
  await assert.rejects(nowhere.session(), { code: "closed", data: { status: 404 } });
});

test("when the time of a token is over, another one is asked for, if there may be one", async (t) => {
  // Clocks may differ by 30 seconds, so such a token is accepted, and over soon.
  const soon = () => token({ sub: ["team"], pub: ["team"], exp: Date.now() / 1000 - 28 });
  const server = await jwtServer(t);
  const tokens = [soon(), token({ sub: ["team"], pub: ["team"] })];
  let asked = 0;
  const geocast = client(t, server.url, { token: async () => tokens[Math.min(asked++, 1)] });
  const fixed = client(t, server.url, { token: soon() });
  const once = soon();
  const stubborn = client(t, server.url, { token: () => once });
  const waiting = next(geocast, "state", ({ status }) => status === "waiting");
  const ends = [fixed, stubborn].map((ended) => next(ended, "state", ({ status }) => status === "closed"));
  const team = geocast.track("team");
  assert.equal((await waiting).error.data.code, 3010);
  await geocast.publish("team", point(1, 1, 1), "1");
  await until(() => team.features.size === 1);
  assert.equal(asked, 2);
  for (const end of ends) assert.equal((await end).error.data.code, 3010);
});

async function jwtServer(t) {
  const folder = mkdtempSync(join(tmpdir(), "geocast-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), secret);
  return serve(t, { arguments: ["--channels", "public", "--jwt-key-file", join(folder, "secret")] });
}

test("what was closed stays so", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  const geocast = client(t, wire.url);
  const vehicles = geocast.track("vehicles");
  await vehicles.ready;
  const seen = states(geocast);
  const asked = geocast.session();
  geocast.close();
  geocast.close();
  await assert.rejects(asked, { code: "closed" });
  await assert.rejects(geocast.session(), { code: "closed" });
  assert.ok(vehicles.isClosed);
  await until(() => wire.size === 0);
  assert.deepEqual([seen, geocast.errors], [["closed"], []]);
});

test("a client may be closed by who is told of its state", async (t) => {
  const server = await serve(t);
  for (const when of ["connecting", "open", "waiting", "closed"]) {
    const url = when === "waiting" ? "ws://127.0.0.1:1/rpc" : server.url;
    const geocast = client(t, url);
    const seen = states(geocast);
    geocast.on("state", ({ status }) => status === when && geocast.close());
    if (when === "closed") geocast.close();
    await until(() => geocast.state.status === "closed");
    await assert.rejects(geocast.session(), { code: "closed" });
    assert.deepEqual([seen.at(-1), seen.filter((status) => status === "closed").length], ["closed", 1]);
  }
});

test("a client needs something that opens connections, and an address", async () => {
  const { connect } = await import("../dist/index.js");
  if (!globalThis.WebSocket) assert.throws(() => connect("ws://127.0.0.1:1/rpc"), /no global WebSocket/);
  class Never {}
  assert.throws(() => connect("/rpc", { WebSocket: Never }), { code: "ERR_INVALID_URL" });
});
