// A real server for the tests. GEOCAST names the binary.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect as dial } from "node:net";

/** Starts `geocast ARGUMENTS` on a free port, or on `port`, and waits until it listens. */
export async function serve(test, { arguments: more = [], port = 0, command = "serve" } = {}) {
  const binary = process.env.GEOCAST;
  if (!binary) throw new Error("GEOCAST has to name the server: GEOCAST=../../target/release/geocast npm test");
  const child = spawn(binary, [command, "--log-format", "human", "--port", String(port), ...more], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  test.after(() => end("SIGKILL"));
  const address = () => /listens on \S*?:(\d+)/.exec(said);
  await until(() => address() ?? child.exitCode !== null, () => `the server does not listen: ${said}`);
  if (!address()) throw new Error(`the server ended: ${said}`);
  const listens = Number(address()[1]);
  return {
    port: listens,
    url: `ws://127.0.0.1:${listens}/rpc`,
    http: `http://127.0.0.1:${listens}`,
    /** Sends a signal and waits for the end. */
    end,
    /** Sends a signal. */
    signal: (name) => child.kill(name),
    said: () => said,
  };
}

/** A line between client and server that can be cut, and held. */
export async function line(test, server) {
  const pairs = new Set();
  const listener = createServer((client) => {
    const upstream = dial(server.port, "127.0.0.1");
    const pair = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [...pair].reverse()]) {
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const cut = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  test.after(() => {
    listener.close();
    cut();
  });
  return {
    url: `ws://127.0.0.1:${listener.address().port}/rpc`,
    /** How many connections there are. */
    get size() {
      return pairs.size;
    },
    cut,
    /** Nothing passes any more, and nobody is told. */
    hold: () => pairs.forEach((pair) => pair.forEach((socket) => socket.unpipe().pause())),
  };
}

/** Waits until something is so; generously, as machines may be busy. */
export async function until(condition, otherwise = () => "it does not become so") {
  const deadline = Date.now() + 90_000;
  let met;
  while (!(met = await condition())) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return met;
}

/** The next event of this name. */
export function next(emitter, name, matches = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${String(name)} came`)), 30_000);
    const off = emitter.on(name, (event) => {
      if (!matches(event)) return;
      clearTimeout(timer);
      off();
      resolve(event);
    });
  });
}

/** A feature that is a point, in degrees. */
export function point(id, x, y, properties = {}) {
  return { type: "Feature", id, geometry: { type: "Point", coordinates: [x, y] }, properties };
}

/** Sets a key of a channel's state, by HTTP. */
export function put(server, channel, feature) {
  return change(server, "PUT", `${channel}/${feature.id}`, JSON.stringify(feature));
}

/** Removes a key of a channel's state, by HTTP. */
export function remove(server, channel, key) {
  return change(server, "DELETE", `${channel}/${key}`);
}

/** Both may be done twice: a connection that was kept may have been closed when it is used again. */
async function change(server, method, path, body) {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(`${server.http}/api/state/${path}`, { method, body });
      const said = await response.text();
      if (response.ok) return;
      throw new Error(said);
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === 5) throw error;
    }
  }
}
