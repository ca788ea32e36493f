import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { client } from "./client.mjs";
import { line, next, point, put, serve, until } from "./server.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

test("a program ends by itself after close()", async (t) => {
  const server = await serve(t);
  const program = `
    import { sockets } from ${JSON.stringify(new URL("./client.mjs", import.meta.url).href)};
    import { connect } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
    // What was left behind would hold the program for so long.
    const options = { ...sockets, timeout: 200_000, heartbeat: 200_000, backoff: { first: 200_000 } };
    const geocast = connect(process.argv[1], options);
    const vehicles = geocast.track("vehicles");
    await vehicles.ready;
    await geocast.call("ping");
    void geocast.viewport({ bbox: [0, 0, 1, 1] });
    geocast.session().catch(() => {});
    geocast.close();
    // By who is told of a state, in the middle of what happens.
    for (const when of ["connecting", "open", "waiting"]) {
      const url = when === "waiting" ? "ws://127.0.0.1:1/rpc" : process.argv[1];
      const other = connect(url, options);
      other.on("state", ({ status }) => status === when && other.close());
      other.track("vehicles");
      other.get("vehicles").catch(() => {});
    }
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, server.url], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
  assert.deepEqual(await once(child, "exit"), [0, null]);
  clearTimeout(timer);
});

test("nothing stays of what is over: subscriptions, answers, connections", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  for (let i = 0; i < 200; i++) await put(server, "vehicles", point(i, i % 20, 0, { text: "x".repeat(500) }));
  const geocast = client(t, wire.url, { backoff: { first: 1, longest: 1 } });
  const gone = [];
  const round = async (cut) => {
    const vehicles = geocast.track("vehicles", { interval: 0 });
    await until(() => vehicles.features.size === 200);
    if (cut) {
      const lost = next(geocast, "state", ({ status }) => status === "waiting");
      wire.cut();
      await lost;
      await until(() => geocast.session().catch(() => undefined));
    }
    await geocast.get("vehicles");
    vehicles.close();
    gone.push(new WeakRef(vehicles));
  };
  const heap = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (let i = 0; i < 10; i++) await round(i % 5 === 0);
  const before = await heap();
  for (let i = 0; i < 25; i++) await round(i % 5 === 0);
  const after = await heap();
  // One map of 200 features is some 200 KB: 25 of them would be 5 MB.
  assert.ok(after - before < 2_000_000, `${before} bytes became ${after}`);
  const kept = gone.slice(0, -1).filter((reference) => reference.deref());
  assert.equal(kept.length, 0, `${kept.length} of ${gone.length} subscriptions are still there`);
});
