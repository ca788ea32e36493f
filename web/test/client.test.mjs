// The client for JavaScript with a browser's own sockets, against a real server: its own files, without their types and without a bundler.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { transformWithEsbuild } from "vite";
import { point, put, remove, serve, until } from "../../clients/js/test/server.mjs";
import { bounded, open, UNREACHED } from "./browser.mjs";

const sources = new URL("../../clients/js/src/", import.meta.url);

/** A page of the server without scripts of its own, beside which the client's files lie. */
async function blank(test, server, options) {
  const prepare = async (page) => {
    await page.route("**/client/*", async (route) => {
      const name = new URL(route.request().url()).pathname.split("/").at(-1);
      const source = new URL(name.replace(/js$/, "ts"), sources);
      const { code } = await transformWithEsbuild(readFileSync(source, "utf8"), source.pathname, { target: "es2022", tsconfigRaw: {} });
      return route.fulfill({ contentType: "text/javascript", body: code });
    });
  };
  const page = await open(test, server, { path: "/api", bypassCSP: true, prepare, ...options });
  await page.evaluate(async () => {
    const { connect } = await import("/client/index.js");
    globalThis.client = connect("/rpc", { backoff: { longest: 500 } });
    globalThis.states = [];
    globalThis.client.on("state", ({ status }) => globalThis.states.push(status));
    globalThis.errors = [];
    globalThis.client.on("error", ({ code }) => globalThis.errors.push(code));
  });
  return page;
}

const keys = (page) => page.evaluate(() => [...globalThis.tracked.features.keys()].sort().join());
const becomes = (page, expected) => until(async () => (await keys(page)) === expected, () => `it does not become ${expected}`);

bounded("a browser loads every file of the client", async (t) => {
  const server = await serve(t);
  const page = await blank(t, server);
  // The adapter of OpenLayers names packages, which only bundlers find.
  const names = readdirSync(sources).filter((name) => name !== "openlayers.ts").map((name) => name.replace(/ts$/, "js"));
  assert.ok(names.length > 15, `only ${names}`);
  await page.evaluate((names) => Promise.all(names.map((name) => import(`/client/${name}`))), names);
});

bounded("in a browser, a tracked channel enters, changes, leaves, and follows the viewport", async (t) => {
  const server = await serve(t);
  const page = await blank(t, server);
  await put(server, "cars", point(1, 8, 47));
  await put(server, "cars", point(2, 20, 47));
  await page.evaluate(() => {
    const { client } = globalThis;
    void client.viewport({ bbox: [7, 46, 9, 48] });
    globalThis.tracked = client.track("cars");
    globalThis.left = [];
    globalThis.tracked.on("leave", ({ key, reason }) => globalThis.left.push(`${key} ${reason}`));
  });
  await becomes(page, "1");
  await put(server, "cars", point(1, 8.5, 47));
  await until(() => page.evaluate(() => globalThis.tracked.features.get("1").geometry.coordinates[0] === 8.5));
  await put(server, "cars", point(2, 8.5, 46.5));
  await becomes(page, "1,2");
  await remove(server, "cars", 1);
  await becomes(page, "2");
  await page.evaluate(() => globalThis.client.viewport({ bbox: [0, 0, 1, 1] }));
  await becomes(page, "");
  assert.deepEqual(await page.evaluate(() => globalThis.left), ["1 deleted", "2 viewport"]);
  await page.evaluate(() => globalThis.client.viewport());
  await page.evaluate(() => globalThis.client.projection("EPSG:2056"));
  await becomes(page, "2");
  await until(() => page.evaluate(() => globalThis.tracked.features.get("2").geometry.coordinates[0] > 2_000_000));
});

bounded("in a browser, messages, questions and diffs arrive", async (t) => {
  const server = await serve(t);
  const page = await blank(t, server);
  await page.evaluate(async () => {
    const { client } = globalThis;
    globalThis.heard = [];
    const messages = client.subscribe("news", ({ content }) => globalThis.heard.push(content));
    await messages.ready;
    await client.publish("news", { headline: "é 🚋" });
    globalThis.diffs = [];
    client.diffs("cars").on("diff", (diff) => globalThis.diffs.push(diff));
    await client.publish("cars", { type: "Feature", id: 1, geometry: { type: "Point", coordinates: [8, 47] }, properties: {} }, "1");
  });
  await until(() => page.evaluate(() => globalThis.heard.length + globalThis.diffs.length >= 2));
  const [heard, diffs, state] = await page.evaluate(async () => [globalThis.heard, globalThis.diffs, await globalThis.client.get("cars")]);
  assert.deepEqual(heard, [{ headline: "é 🚋" }]);
  assert.ok(JSON.stringify(diffs).includes('"add":[{"type":"Feature","id":1'), JSON.stringify(diffs));
  assert.equal(state.values.length, 1);
});

bounded("in a browser, the client comes back and tells the difference", async (t) => {
  const server = await serve(t);
  const page = await blank(t, server, { expected: [UNREACHED] });
  await put(server, "cars", point(1, 8, 47));
  await page.evaluate(() => (globalThis.tracked = globalThis.client.track("cars")));
  await becomes(page, "1");
  await server.end("SIGKILL");
  await until(() => page.evaluate(() => globalThis.states.includes("waiting")));
  const again = await serve(t, { port: server.port });
  await put(again, "cars", point(2, 8, 47));
  await becomes(page, "2");
  await page.evaluate(() => globalThis.client.close());
  assert.deepEqual(await page.evaluate(() => [globalThis.client.state.status, globalThis.errors]), ["closed", []]);
});
