// Where the live map looks, and at what: each of its switches is worked, and what then arrives is looked at.
import assert from "node:assert/strict";
import { point, put, serve, until } from "../../clients/js/test/server.mjs";
import { bounded, openMap, said, shown, shows } from "./browser.mjs";
import { degrees, mercator, READBACK } from "./maps.mjs";

const BERN = point(1, 7.45, 46.95, { type: "tram" });
const GENEVA = point(2, 6.14, 46.2, { type: "bus" });
/** A view of Bern and its surroundings. */
const AT_BERN = "#channel=cars&crs=EPSG:3857&at=7.45,46.95,50";

const session = (page) => page.evaluate(() => globalThis.geocast.live.client.session());
const resolution = (page) => page.evaluate(() => globalThis.geocast.map.getView().getResolution());

bounded("zooming out brings what is further away, and zooming in takes it off", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "cars", GENEVA);
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1"]);
  const zoom = async (button, closer) => {
    for (let step = 0; step < 3; step++) {
      const before = await resolution(page);
      await page.locator(button).click();
      await until(async () => (closer ? (await resolution(page)) < before : (await resolution(page)) > before), () => `${button} does not zoom`);
    }
  };
  const { viewport: near } = await session(page);
  await zoom("#zoom-out", false);
  await shows(page, ["1", "2"]);
  const { viewport: far } = await session(page);
  assert.ok(Math.abs(near.zoom - far.zoom - 3) < 0.01, `zoom was told to be ${near.zoom} and ${far.zoom}`);
  await zoom("#zoom-in", true);
  await shows(page, ["1"]);
});

bounded("everything on the channel is shown at once, wherever it is and however far away the server", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "cars", GENEVA);
  await put(server, "cars", point(3, -21.9, 64.1));
  await put(server, "cars", point(4, 24.9, 60.2));
  // What is said takes its time in both directions.
  const prepare = (page) =>
    page.routeWebSocket(/\/rpc/, (socket) => {
      const far = socket.connectToServer();
      socket.onMessage((message) => void setTimeout(() => far.send(message), 400));
      far.onMessage((message) => void setTimeout(() => socket.send(message), 400));
    });
  const page = await openMap(t, server, { hash: AT_BERN, prepare });
  await shows(page, ["1"]);
  await page.locator("#fit").click();
  await until(() => new URL(page.url()).hash.match(/at=(?!7\.45|8\.2)/) !== null, () => `it stays at ${page.url()}`);
  await shows(page, ["1", "2", "3", "4"]);
  // All of them are on the screen, and fill it.
  const places = Object.values(await shown(page)).map(({ screen }) => screen);
  const box = await page.locator("#map").boundingBox();
  for (const [x, y] of places) assert.ok(x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height, `${x}, ${y}`);
  const [first, last] = [Math.min(...places.map(([x]) => x)), Math.max(...places.map(([x]) => x))];
  assert.ok(last - first > box.width / 2, `they are between ${first} and ${last}`);
});

bounded("another channel takes the place of the one before", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "ships", point(2, 7.46, 46.96, { type: "ferry" }));
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1"]);
  await page.fill("#channel", "ships");
  await page.keyboard.press("Enter");
  await shows(page, ["2"]);
  assert.equal(new URL(page.url()).hash.split("&")[0], "#channel=ships");
  assert.equal(await page.evaluate(() => globalThis.geocast.live.told("1")), undefined);
  await said(page, "#count", /^1$/);
  await said(page, "#kinds", /^ferry1$/);
  await until(async () => (await session(page)).channels.join() === "ships", () => "the former is listened to still");
  // Nothing comes of the former any more.
  await put(server, "cars", point(3, 7.45, 46.95));
  await put(server, "ships", point(4, 7.45, 46.95, { type: "ferry" }));
  await shows(page, ["2", "4"]);
});

bounded("steps of less than a pixel are withheld if that is wished, and the panel says so", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1"]);
  const told = async () => (await shown(page))["1"].told[0];
  // A pixel is 50 metres, and a ten-thousandth of a degree is about 8.
  let longitude = 7.45;
  const step = async (by) => {
    await put(server, "cars", point(1, (longitude += by), 46.95, { type: "tram" }));
    return mercator(longitude, 46.95)[0];
  };
  const arrives = async (x) => until(async () => Math.abs((await told()) - x) < 0.01, () => "it does not move");
  await arrives(await step(0.0001));
  await page.locator("label", { hasText: "Only what moves a pixel" }).click();
  await until(async () => (await session(page)).viewport.min_move === 1, () => "the server is not asked");
  let steps = 0;
  await until(async () => {
    await step(steps++ % 2 ? 0.0001 : -0.0001);
    return /^still moved less than a pixel[1-9]\d*$/.test((await page.textContent(".reasons"))?.trim() ?? "");
  }, () => `after ${steps} steps nothing is withheld`);
  await arrives(await step(0.01));
  await page.locator("label", { hasText: "Only what moves a pixel" }).click();
  await until(async () => !(await session(page)).viewport.min_move, () => "the server withholds them still");
  for (let number = 0; number < 5; number++) await arrives(await step(0.0001));
});

bounded("the second viewport looks where its frame is dragged", async (t) => {
  const server = await serve(t);
  // OpenLayers asks its canvas whether the pointer is over the frame.
  const page = await openMap(t, server, { hash: `${AT_BERN}&second`, expected: [READBACK] });
  const second = () =>
    page.evaluate(() => {
      const { map, second } = globalThis.geocast;
      const extent = second?.frame.getGeometry()?.getExtent();
      if (!extent) return undefined;
      const [left, bottom, right, top] = extent;
      const view = second.map.getView();
      return {
        keys: [...second.live.things.keys()].sort().join(),
        told: [...second.live.things.keys()].map((key) => second.live.told(key)?.geometry.coordinates)[0],
        frame: [(left + right) / 2, (bottom + top) / 2],
        height: top - bottom,
        centre: view.getCenter(),
        resolution: view.getResolution(),
        pixel: map.getView().getResolution(),
      };
    });
  const before = await until(second, () => "there is no frame");
  const below = [before.frame[0], before.frame[1] - 1.2 * before.height];
  await put(server, "cars", point("here", ...degrees(before.frame)));
  await put(server, "cars", point("below", ...degrees(below)));
  await until(async () => (await second()).keys === "here", () => "it does not show what is in its frame alone");
  const onScreen = (place) => page.evaluate((place) => globalThis.geocast.pixelOf(place), degrees(place));
  await page.mouse.move(...(await onScreen(before.frame)));
  await page.mouse.down();
  await page.mouse.move(...(await onScreen(below)), { steps: 5 });
  await page.mouse.up();
  await until(async () => (await second()).keys === "below", () => "it does not show what is in its frame now");
  // What it shows is in its middle, by the coordinates that the server gives it in its own system; and its frame is drawn around that.
  const after = await second();
  const off = Math.hypot(after.told[0] - after.centre[0], after.told[1] - after.centre[1]) / after.resolution;
  assert.ok(off < 3, `${off} pixels away from the middle`);
  const away = Math.hypot(after.frame[0] - below[0], after.frame[1] - below[1]) / after.pixel;
  assert.ok(away < 3, `the frame is ${away} pixels away from what is shown`);
  // The first map has not moved.
  assert.match(page.url(), /at=7\.45000,46\.95000,50/);
});
