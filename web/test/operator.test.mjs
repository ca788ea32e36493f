// The operator's page in a real browser, against servers that it starts. Maps in other tabs are the clients.
import assert from "node:assert/strict";
import { point, put, serve, until } from "../../clients/js/test/server.mjs";
import { bounded, open, openMap, said, UNREACHED } from "./browser.mjs";
import { drawnAt, openOperator, operated, REFUSED, row } from "./operator.mjs";

bounded("clients are listed, and their viewports are drawn where they look", async (t) => {
  const server = await operated(t);
  await put(server, "cars", point(1, 7.45, 46.95));
  // Some kilometres around Bern, in LV95.
  const client = await openMap(t, server, { hash: "#channel=cars&crs=EPSG:2056&at=7.45,46.95,20" });
  const page = await openOperator(t, server);
  assert.equal(new URL(page.url()).hash, "", "the token stays in no address");
  await until(async () => (await page.locator("#connection-rows tr").count()) === 1);
  await until(async () => (await row(page))[7].startsWith("EPSG:2056 · "), () => "the viewport is not in LV95");
  const [id, address, dialect, state, , , , viewport, channels] = await row(page);
  assert.deepEqual([dialect, state, channels], ["rpc", "", "cars"]);
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  // The map of the client has 824 by 800 pixels of 20 metres. In degrees its box is some kilometres larger, never smaller.
  const [, across, down] = /· ([\d.]+) × ([\d.]+) km/.exec(viewport);
  assert.ok(Number(across) > 16 && Number(across) < 21 && Number(down) > 15.5 && Number(down) < 21, viewport);
  await until(async () => (await drawnAt(page, 7.45, 46.95)).clients.length === 1);
  assert.deepEqual((await drawnAt(page, 7.45, 46.95)).clients, [Number(id)]);
  assert.deepEqual((await drawnAt(page, 7.8, 46.95)).clients, [], "nobody looks there");
  // It pans to Zürich, and so does its rectangle.
  await client.evaluate(() => globalThis.geocast.look({ centre: [8.54, 47.38], resolution: 20 }));
  await until(async () => {
    await page.locator("#fit").click();
    return (await drawnAt(page, 8.54, 47.38)).clients.length === 1;
  });
  assert.deepEqual((await drawnAt(page, 7.45, 46.95)).clients, []);
  // What is published is seen in the list of channels.
  let number = 0;
  await until(async () => {
    await put(server, "cars", point(1, 8.54, 47.38, { number: number++ }));
    const cells = await page.locator("#channel-rows tr").first().locator("th, td").allTextContents();
    return cells[0] === "cars" && cells[1] === "1" && Number(cells[2]) > 0 && Number(cells[3]) > 0;
  });
  await said(page, ".delivered .rate", /^[\d.]*[1-9][\d.]*\/s$/);
  await said(page, "#store-state-text", /^well$/);
  await said(page, "#errors-text", /^none$/);
});

bounded("a client is chosen in the table, on the map and by keyboard", async (t) => {
  const server = await operated(t);
  await openMap(t, server, { hash: "#channel=cars&crs=EPSG:3857&at=7.45,46.95,20" });
  await openMap(t, server, { hash: "#channel=trams&crs=EPSG:3857&at=8.54,47.38,20" });
  const page = await openOperator(t, server);
  await until(async () => (await drawnAt(page, 7.45, 46.95)).clients.length === 1 && (await drawnAt(page, 8.54, 47.38)).clients.length === 1);
  const pressed = () => page.locator(".client[aria-pressed=true]").allTextContents();
  const { clients: [bern], pixel } = await drawnAt(page, 7.45, 46.95);
  const { clients: [zurich] } = await drawnAt(page, 8.54, 47.38);
  await page.locator("#map").click({ position: { x: pixel[0], y: pixel[1] } });
  await until(async () => String(await pressed()) === String(bern), () => "the rectangle is not chosen");
  await page.keyboard.press("Escape");
  assert.deepEqual(await pressed(), []);
  await page.locator(".client", { hasText: new RegExp(`^${zurich}$`) }).focus();
  await page.keyboard.press("Enter");
  assert.deepEqual(await pressed(), [String(zurich)]);
  // Rows are drawn anew each second, and keep the focus.
  const at = await page.textContent("#server-text");
  await until(async () => (await page.textContent("#server-text")) !== at);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), String(zurich));
  await page.fill("#filter", "TRAMS");
  await until(async () => (await page.locator("#connection-rows tr").count()) === 1);
  assert.equal((await row(page))[0], String(zurich));
});

bounded("nobody is shown anything without the token, which a tab keeps and no other one has", async (t) => {
  const server = await operated(t);
  const page = await open(t, server, { path: "/operator", expected: [REFUSED] });
  const isShown = () => page.locator("#shown").isVisible();
  await said(page, "#state-text", /^no access$/);
  assert.equal(await isShown(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "token");
  await page.keyboard.type("guess");
  await page.keyboard.press("Enter");
  await said(page, "#refusal", /not the token/);
  assert.equal(await isShown(), false);
  await page.fill("#token", "sesame");
  await page.keyboard.press("Enter");
  await said(page, "#state-text", /^live$/);
  await until(isShown);
  assert.equal(await page.locator("#access").isVisible(), false);
  await page.reload();
  await said(page, "#state-text", /^live$/);
  assert.deepEqual(await page.evaluate(() => Object.values({ ...localStorage }).filter((value) => value.includes("sesame"))), []);
  const other = await open(t, server, { path: "/operator" });
  await said(other, "#state-text", /^no access$/);
  const closed = await serve(t);
  const nothing = await open(t, closed, { path: "/operator", hash: "#token=sesame", expected: [REFUSED] });
  await said(nothing, "#refusal", /--operator-token-file/);
});

bounded("the page comes back when the server does", async (t) => {
  const server = await operated(t);
  const page = await openOperator(t, server, { expected: [UNREACHED] });
  await server.end("SIGKILL");
  await said(page, "#state-text", /^no answer$/);
  assert.equal(await page.locator("#shown").isVisible(), true, "what was known is still shown");
  await operated(t, { port: server.port });
  await said(page, "#state-text", /^live$/);
});

bounded("it fits a phone, and is light where the system is", async (t) => {
  const server = await operated(t);
  await openMap(t, server, { hash: "#channel=cars&crs=EPSG:3857&at=7.45,46.95,20" });
  const page = await openOperator(t, server, { viewport: { width: 360, height: 740 }, colorScheme: "light" });
  await until(async () => (await page.locator("#connection-rows tr").count()) === 1);
  const [width, theme] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.dataset.theme]);
  assert.deepEqual([width, theme], [360, "light"]);
  const beyond = await page.evaluate(() => {
    // As wide as it gets, until the next report.
    const [state, waiting, delivered] = document.querySelectorAll("#connection-rows :is(.health, .figure-column:not(.wide))");
    [state.textContent, waiting.textContent, delivered.textContent] = ["behind", "99.9 MiB", "9,999/s"];
    return [...document.querySelectorAll("#connection-rows td, #channel-rows td, button, output")]
      .filter((element) => element.getBoundingClientRect().width > 0 && element.getBoundingClientRect().right > 360.5)
      .map((element) => element.outerHTML);
  });
  assert.deepEqual(beyond, []);
});
