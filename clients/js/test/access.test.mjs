// What becomes of subscriptions that are not allowed any more.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { client, sockets } from "./client.mjs";
import { next, point, put, serve, until } from "./server.mjs";

/** A server whose configuration names the channels that may be read. */
async function configured(t, channels) {
  const folder = mkdtempSync(join(tmpdir(), "geocast-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "geocast.toml");
  const write = (list) => writeFileSync(file, `channels = "${list}"\n`);
  write(channels);
  const options = ["--config", file];
  const server = await serve(t, { arguments: options });
  return {
    server,
    /** Has the server read it again. */
    allow(list) {
      write(list);
      server.signal("SIGHUP");
    },
    /** Starts another server in place of this one. */
    async replace(list) {
      write(list);
      await server.end("SIGKILL");
      return serve(t, { arguments: options, port: server.port });
    },
  };
}

/** What a map shows that is given diffs. */
function drawing(diffs) {
  const drawn = new Set();
  diffs.on("diff", ({ removeAll, remove = [], add = [] }) => {
    if (removeAll) drawn.clear();
    for (const id of remove) drawn.delete(id);
    for (const { id } of add) drawn.add(id);
  });
  return drawn;
}

test("what may not be read any more is not shown, and comes back when it may be", async (t) => {
  const { server, allow } = await configured(t, "*");
  for (const channel of ["vehicles", "trams"]) await put(server, channel, point(1, 1, 1));
  let asked = 0;
  class Counting extends (sockets.WebSocket ?? WebSocket) {
    send(text) {
      if (/"subscribe".*"vehicles"/.test(text)) asked += 1;
      super.send(text);
    }
  }
  const geocast = client(t, server.url, { WebSocket: Counting });
  const vehicles = geocast.track("vehicles");
  const trams = geocast.diffs("trams");
  const news = geocast.subscribe("news");
  const open = geocast.subscribe("open");
  const drawn = drawing(trams);
  await Promise.all([vehicles.ready, trams.ready, news.ready, open.ready]);
  await until(() => vehicles.features.size === 1 && drawn.size === 1);

  const left = [];
  vehicles.on("leave", ({ key, reason }) => left.push([key, reason]));
  allow("open");
  await until(() => geocast.errors.length === 3 && drawn.size === 0, () => `${geocast.errors}; ${[...drawn]}`);
  assert.deepEqual(left, [["1", "ended"]]);
  assert.equal(vehicles.features.size, 0);
  for (const { code, message } of geocast.errors) {
    assert.equal(code, "access_denied");
    assert.match(message, /ended/);
  }
  for (const subscription of [vehicles, trams, news, open]) assert.ok(!subscription.isClosed);
  assert.deepEqual((await geocast.session()).channels, ["open"]);
  // It is asked for again, and that it is refused again is told nobody.
  const before = asked;
  await until(() => asked >= before + 2);
  assert.deepEqual((await geocast.session()).channels, ["open"]);
  assert.equal(geocast.errors.length, 3);

  const gap = next(news, "gap");
  const message = next(news, "message");
  allow("*");
  assert.deepEqual(await gap, { reason: "access" });
  await put(server, "news", point(3, 3, 3));
  assert.equal((await message).content.id, 3);
  await until(() => vehicles.features.size === 1 && drawn.size === 1);
  await put(server, "vehicles", point(2, 2, 2));
  await until(() => vehicles.features.size === 2);
  // And once more.
  allow("open");
  await until(() => geocast.errors.length === 6 && drawn.size === 0 && vehicles.features.size === 0);
  vehicles.close();
  allow("*");
  await until(() => drawn.size === 1);
  assert.ok(!(await geocast.session()).channels.includes("vehicles"), "what was closed is not asked for again");
});

test("what the next server does not allow is not shown", async (t) => {
  const { server, replace } = await configured(t, "*");
  for (const channel of ["vehicles", "trams"]) await put(server, channel, point(1, 1, 1));
  const geocast = client(t, server.url);
  const vehicles = geocast.track("vehicles");
  const drawn = drawing(geocast.diffs("trams"));
  await until(() => vehicles.features.size === 1 && drawn.size === 1);
  await replace("open");
  await until(() => vehicles.features.size === 0 && drawn.size === 0);
  assert.deepEqual(geocast.errors.map(({ code }) => code), ["access_denied", "access_denied"]);
});
