// The whole page of the client's README, as somebody has it who copied it: on a server of its own, with the client beside it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { serve, until } from "../../clients/js/test/server.mjs";
import { bounded, open, said, UNREACHED } from "./browser.mjs";
import { host } from "./host.mjs";

const readme = readFileSync(new URL("../../clients/js/README.md", import.meta.url), "utf8");
const [, copied] = /^```html\n(<!-- vehicles\.html -->\n[^]*?)^```$/m.exec(readme);

bounded("the whole page of the README can be copied", async (t) => {
  const { http, shows } = await host(t);
  const demo = { command: "demo", arguments: ["--vehicles", "50", "--allow-origin", http] };
  const server = await serve(t, demo);
  const written = "ws://127.0.0.1:8765/rpc";
  assert.ok(copied.includes(written));
  shows(copied.replace(written, server.url));
  const page = await open(t, { http }, { path: "/page.html", expected: [UNREACHED] });
  await said(page, "p", /^[1-9]\d* vehicles$/);

  const drawn = () => page.evaluate(() => [...document.querySelectorAll("path")].map((dot) => dot.getAttribute("d")));
  const first = await drawn();
  assert.ok(first.length > 0);
  assert.ok(first.every((dot) => /^M\d{6,7}(\.\d+)? -[56]\d{6}(\.\d+)?h0$/.test(dot)), first.join());
  await until(async () => (await drawn()).some((dot) => !first.includes(dot)), () => "nothing moves");

  // Closer by half, around what was clicked, which is the middle here.
  const box = () => page.evaluate(() => document.querySelector("svg").getAttribute("viewBox").split(" ").map(Number));
  const before = await box();
  await page.mouse.click(600, 400);
  const after = await box();
  assert.deepEqual(after.slice(2), [before[2] / 2, before[3] / 2]);
  const outside = ([, x, y]) => x < after[0] - 1 || x > after[0] + after[2] + 1 || y < after[1] - 1 || y > after[1] + after[3] + 1;
  const places = async () => (await drawn()).map((dot) => /^M(\S+) (\S+)h0$/.exec(dot).map(Number));
  await until(async () => !(await places()).some(outside), () => "what is outside stays");

  await server.end("SIGKILL");
  await said(page, "p", /^(waiting|connecting)$/);
  await serve(t, { ...demo, port: server.port });
  await page.keyboard.down("Shift");
  await page.mouse.click(600, 400);
  await said(page, "p", /^[1-9]\d* vehicles$/);
});
