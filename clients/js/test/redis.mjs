// A Redis for one test, that can be ended and started again.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { until } from "./server.mjs";

/** Starts a `redis-server` on a free port and waits until it takes commands. */
export async function redis(test) {
  const port = await freePort();
  let child;
  const end = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  const start = async () => {
    const words = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    child = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"], cwd: "/" });
    let said = "";
    child.stdout.on("data", (data) => (said += data));
    await until(() => said.includes("Ready to accept connections"), () => `redis-server does not start: ${said}`);
  };
  test.after(end);
  await start();
  /** What `redis-cli` says to a command. */
  const cli = (...words) => execFileSync("redis-cli", ["-p", String(port), ...words], { encoding: "utf8" }).trim();
  return { url: `redis://127.0.0.1:${port}`, end, start, cli };
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}
