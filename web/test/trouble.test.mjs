// What the operator's page shows of what goes wrong: clients that do not read or are behind, and a Redis that ends.
import assert from "node:assert/strict";
import { redis } from "../../clients/js/test/redis.mjs";
import { point, until } from "../../clients/js/test/server.mjs";
import { bounded, openMap, said } from "./browser.mjs";
import { deaf } from "./deaf.mjs";
import { apart, drawnAt, openOperator, operated, row } from "./operator.mjs";

bounded("a client that does not read is on top, one that is behind next, each in its colour; and a Redis that ends is told of", async (t) => {
  const store = await redis(t);
  // Who does not read is kept for as long as the test takes.
  const patient = ["--write-timeout", "10m", "--ping-interval", "10m", "--outbox-bytes", "256MiB"];
  const server = await operated(t, { arguments: ["--redis", store.url, "--channels", "*", ...patient] });
  // It looks elsewhere, and is the first that comes.
  await openMap(t, server, { hash: "#channel=cars&crs=EPSG:3857&at=8.54,47.38,20" });
  const page = await openOperator(t, server);
  await until(async () => (await row(page))[8] === "cars", () => "the map is not listed");
  const [well] = await row(page);
  await said(page, "#store-state-text", /^well$/);
  await until(async () => /heard[\d.]+ (ms|s) ago/.test((await page.textContent("#store-facts")) ?? ""), () => "it is not said when Redis was heard");
  assert.match(await page.textContent("#store-facts"), /probe took[\d.]+ m?s/);
  assert.match(await page.textContent("#store-name"), new RegExp(store.url.slice("redis://".length)));

  const { address } = await deaf(t, server, "BBOX 7.3 46.85 7.6 47.05", "SUB cars");
  await until(async () => (await page.locator("#connection-rows tr").count()) === 2);
  assert.equal((await row(page))[0], well, "in the order in which they came");
  const feature = JSON.stringify(point(1, 7.45, 46.95, { x: "x".repeat(100_000) }));
  await until(
    async () => {
      for (let number = 0; number < 5; number++) store.cli("PUBLISH", "cars", feature);
      return (await row(page))[3] === "slow";
    },
    () => "nobody becomes slow",
  );
  const [[id, from, , state, waiting], other] = [await row(page), await row(page, 1)];
  assert.deepEqual([from, state], [address, "slow"]);
  assert.match(waiting, /^[\d.]+ [KM]B$/);
  assert.deepEqual([other[0], other[3]], [well, ""]);
  const { clients } = await drawnAt(page, 7.45, 46.95);
  assert.deepEqual(clients, [Number(id)]);
  await page.locator("#fit").click();
  await until(async () => (await apart(page, 7.3, 46.95, "--bad")) < 4, () => "its rectangle has another colour");
  await until(async () => /1 slow, 0 behind/.test((await page.textContent("#flow-note")) ?? ""));

  // State that cannot be read makes a map wait, and nothing waits for its client.
  store.cli("SET", "broken", "no hash");
  const late = await deaf(t, server, "BBOX 9.3 46.85 9.6 47.05", "SUB broken track");
  await until(async () => (await row(page, 1))[3] === "behind", () => "nobody is behind");
  const [behind, last] = [await row(page, 1), await row(page, 2)];
  assert.deepEqual([behind[1], behind[4], behind[8]], [late.address, "", "broken"]);
  assert.deepEqual([(await row(page))[0], last[0], last[3]], [id, well, ""]);
  await until(async () => /1 slow, 1 behind/.test((await page.textContent("#flow-note")) ?? ""));
  await page.locator("#fit").click();
  await until(async () => (await apart(page, 9.3, 46.95, "--warn")) < 4, () => "the rectangle of who is behind has another colour");
  store.cli("DEL", "broken");
  await until(async () => /1 slow, 0 behind/.test((await page.textContent("#flow-note")) ?? ""));
  const [second, third] = [await row(page, 1), await row(page, 2)];
  assert.deepEqual([second[0], second[3], third[0], third[3]], [well, "", behind[0], ""], "in the order in which they came");

  await store.end();
  await said(page, "#store-state-text", /^in trouble$/);
  assert.equal(await page.locator("#store-trouble").isVisible(), true);
  await until(async () => (await page.locator("#error-list li").count()) > 0, () => "no line is told");
  await said(page, "#error-list", /redis/i);
  await said(page, "#errors-text", /^[1-9]\d*$/);
  await store.start();
  await said(page, "#store-state-text", /^well$/);
  assert.equal(await page.locator("#store-trouble").isVisible(), false);
});
