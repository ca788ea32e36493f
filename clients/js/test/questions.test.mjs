import assert from "node:assert/strict";
import { test } from "node:test";
import { GeocastError } from "../dist/index.js";
import { client } from "./client.mjs";
import { next, point, put, serve, until } from "./server.mjs";

test("what is asked before there is a connection is answered", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url);
  assert.equal(geocast.state.status, "connecting");
  assert.deepEqual(await geocast.publish("vehicles", point(7, 7.45, 46.95), "7"), { channel: "vehicles", key: "7" });
  const { values, crs } = await geocast.get("vehicles");
  assert.deepEqual([values, crs], [[point(7, 7.45, 46.95)], "EPSG:4326"]);
  assert.deepEqual((await geocast.get("vehicles", { key: "8" })).values, []);
  const projected = await geocast.get("vehicles", { key: "7", projection: "EPSG:3857" });
  assert.deepEqual(projected.values[0].geometry.coordinates, [829330.206, 5933916.615]);
  assert.equal(geocast.state.status, "open");
  assert.deepEqual(geocast.errors, []);
});

test("viewport, projection, filters and detail are in force when their promise says so", async (t) => {
  const server = await serve(t);
  await put(server, "vehicles", point(7, 7.123456, 46.95, { type: "rail", name: "S 4" }));
  await put(server, "vehicles", point(8, 7.45, 46.95, { type: "tram", name: "7" }));
  await put(server, "vehicles", point(9, 50, 50, { type: "rail", name: "S 3" }));
  const geocast = client(t, server.url);
  const keys = async () => (await geocast.get("vehicles")).values.map(({ id }) => id).sort();
  assert.deepEqual(await keys(), [7, 8, 9]);
  await geocast.viewport({ bbox: [5.9, 45.8, 10.5, 47.8] });
  assert.deepEqual(await keys(), [7, 8]);
  const inForce = await geocast.viewport({
    bbox: [5.9, 45.8, 10.5, 47.8],
    properties: { type: ["rail"] },
    fields: ["name"],
    precision: 2,
    zoom: 9,
    tolerance: 1,
    minMove: 2,
  });
  assert.deepEqual([inForce.min_move, inForce.tolerance, inForce.zoom, inForce.crs], [2, 1, 9, "EPSG:4326"]);
  assert.deepEqual((await geocast.get("vehicles")).values, [point(7, 7.12, 46.95, { name: "S 4" })]);
  // The box stays where it was when the projection changes, on this connection and on every other.
  await geocast.projection("EPSG:2056");
  assert.deepEqual(await keys(), [7]);
  assert.equal((await geocast.session()).viewport.crs, "EPSG:4326");
  await geocast.viewport();
  assert.deepEqual(await keys(), [7, 8, 9]);
});

test("only the newest of many viewports is sent, and answers all", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url);
  await geocast.session();
  const results = await Promise.all(
    Array.from({ length: 500 }, (_, i) => geocast.viewport({ bbox: [0, 0, 1 + i, 10] })),
  );
  assert.deepEqual(results[0].bbox, [0, 0, 1, 10]);
  assert.deepEqual(results[1].bbox, [0, 0, 500, 10]);
  assert.deepEqual((await geocast.session()).viewport.bbox, [0, 0, 500, 10]);
});

test("errors have a code, a message and data", async (t) => {
  const server = await serve(t, { arguments: ["--channels", "news"] });
  const geocast = client(t, server.url);
  const fails = async (promise, code, data) => {
    const error = await promise.then(
      () => assert.fail(`${code} is no error`),
      (error) => error,
    );
    assert.ok(error instanceof GeocastError && error instanceof Error);
    assert.equal(error.code, code);
    assert.ok(error.message.length > 5);
    if (data) assert.deepEqual(error.data, data);
    return error;
  };
  await geocast.viewport({ bbox: [0, 0, 10, 10] });
  await fails(geocast.viewport({ bbox: [5, 3, 9, 1] }), "invalid_parameter", { parameter: "bbox" });
  // What was in force before still is, and is what further connections are told.
  assert.deepEqual((await geocast.session()).viewport.bbox, [0, 0, 10, 10]);
  await fails(geocast.viewport({ bbox: [0, 0, 1, 1], tolerance: 1 }), "invalid_parameter", { parameter: "zoom" });
  await fails(geocast.projection("EPSG:999999"), "unknown_crs", { reason: "unknown_crs" });
  await fails(geocast.get("secret"), "access_denied", { reason: "access_denied" });
  await fails(geocast.publish("secret", 1), "access_denied");
  await fails(geocast.track("secret").ready, "access_denied");
  await fails(geocast.history("news"), "history_unavailable");
  await fails(geocast.call("dance"), "unknown_method");
  await fails(geocast.call("get", {}), "invalid_parameter", { parameter: "channel" });
  assert.deepEqual(
    geocast.errors.map(({ code }) => code),
    ["invalid_parameter", "invalid_parameter", "unknown_crs", "access_denied"],
    "what is wished is told of as an event as well",
  );
  // Sent, it would end the connection for good.
  const error = await fails(geocast.publish("news", "x".repeat(17_000)), "message_too_large");
  assert.match(error.message, /17\d\d\d bytes, 16384 at most/);
  assert.deepEqual(await geocast.publish("news", "x".repeat(16_000)), { channel: "news" });
  assert.throws(() => geocast.track("secret"), /subscribed to already/);
});

test("a question that is not answered fails in time, and so do too many", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url, { timeout: 2000 });
  await until(() => geocast.state.status === "open");
  server.signal("SIGSTOP");
  t.after(() => server.signal("SIGCONT"));
  await assert.rejects(geocast.session(), { code: "timeout" });
  const many = Array.from({ length: 1030 }, () => geocast.session().catch(({ code }) => code));
  const codes = await Promise.all(many);
  assert.equal(codes.filter((code) => code === "too_many_requests").length, 6);
  assert.equal(codes.filter((code) => code === "timeout").length, 1024);
});

test("messages, history and where a channel stands", async (t) => {
  const server = await serve(t, { arguments: ["--history", "news=10"] });
  const geocast = client(t, server.url);
  const heard = [];
  const news = geocast.subscribe("news", ({ content }) => heard.push(content));
  await news.ready;
  for (const content of [1, "two", { three: 3 }]) await geocast.publish("news", content);
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [1, "two", { three: 3 }]);
  const history = await geocast.history("news", { limit: 2 });
  assert.deepEqual(history.messages.map(({ content }) => content), ["two", { three: 3 }]);
  assert.deepEqual(news.position, { since: history.offset, epoch: history.epoch });

  // A page that is loaded again goes on from where it stood.
  const position = { since: history.messages[0].offset, epoch: history.epoch };
  const other = client(t, server.url);
  const again = [];
  const resumed = other.subscribe("news", ({ content }) => again.push(content), position);
  await next(resumed, "recovered");
  await until(() => again.length === 1);
  assert.deepEqual(again, [{ three: 3 }]);
  const lost = client(t, server.url).subscribe("news", undefined, { since: 1, epoch: "another" });
  assert.deepEqual(await next(lost, "gap"), { reason: "history" });

  // After its end nothing is told: what is published behind it is heard by others only.
  news.close();
  await geocast.publish("news", "last");
  await until(() => again.includes("last"));
  assert.deepEqual((await geocast.session()).channels, []);
  assert.equal(heard.length, 3);
});

test("pushes that are collected come all the same", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url);
  await geocast.buffer(100, 1000);
  const heard = [];
  await geocast.subscribe("news", ({ content }) => heard.push(content)).ready;
  for (let i = 0; i < 10; i++) await geocast.publish("news", i);
  await until(() => heard.length === 10);
  assert.deepEqual(heard, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
