// The live map in a real browser, against servers that it starts.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { point, put, remove, serve, until } from "../../clients/js/test/server.mjs";
import { secret, token } from "../../clients/js/test/token.mjs";
import { bounded, open, openMap, said, shown, shows, UNREACHED } from "./browser.mjs";

const BERN = point(1, 7.45, 46.95, { type: "tram", heading: 90 });
const GENEVA = point(2, 6.14, 46.2, { type: "bus" });
/** Half of the way around the world in EPSG:3857, in metres. */
const HALF_WORLD = 20037508.342789244;
/** A view of Bern and its surroundings. */
const AT_BERN = "#channel=cars&crs=EPSG:3857&at=7.45,46.95,50";

bounded("features move on the map of the demo", async (t) => {
  const server = await serve(t, { command: "demo", arguments: ["--vehicles", "40"] });
  const page = await openMap(t, server);
  // The channel is the one that the server tells of; the map looks at where the vehicles are.
  await until(async () => (await page.inputValue("#channel")) === "vehicles");
  await until(() => new URL(page.url()).hash.includes("at="), () => `the map has not looked at them: ${page.url()}`);
  await until(async () => Object.keys(await shown(page)).length > 0);
  const before = await shown(page);
  await until(
    async () => {
      const now = await shown(page);
      return Object.keys(before).some((key) => now[key] && Math.hypot(now[key].at[0] - before[key].at[0], now[key].at[1] - before[key].at[1]) > 20);
    },
    () => "nothing has moved by twenty metres",
  );
  await said(page, "#count", /^[1-9]/);
  await said(page, ".delivered .rate", /^[\d.]+\/s$/);
  assert.ok((await page.locator(".kind").count()) > 0);
});

bounded("panning changes what arrives, and the panel says why the rest does not", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "cars", GENEVA);
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1"]);
  const frames = () => page.evaluate(() => globalThis.geocast.live.tap.received.frames);
  // Something far away is published, then something near: the one arrives, and the other has not come before it.
  const near = async (number) => {
    await put(server, "cars", point(1, 7.45, 46.95 + number / 1000, { number }));
    await until(() => page.evaluate((number) => globalThis.geocast.live.told("1")?.properties.number === number, number));
  };
  await near(1);
  const seen = await frames();
  for (let number = 0; number < 5; number++) await put(server, "cars", point(2, 6.14, 46.2, { number }));
  await near(2);
  assert.ok((await frames()) - seen < 5, "what is outside was sent");
  await until(async () => Number(await page.textContent(".reasons dd")) >= 5, () => "nothing is said to be withheld");
  assert.match(await page.textContent(".reasons"), /outside/);
  // 100 km to the west, 83 km to the south: by dragging the map.
  await page.evaluate(() => globalThis.geocast.map.getView().setCenter([683000, 5812000]));
  await shows(page, ["2"]);
  await page.mouse.move(400, 400);
  await page.mouse.down();
  await page.mouse.move(700, 300, { steps: 4 });
  await page.mouse.up();
  await until(async () => !new URL(page.url()).hash.includes("at=6.13"));
  await remove(server, "cars", "2");
  await shows(page, []);
});

bounded("the server reprojects: coordinates are PROJ's in every projection, and where the map draws them", async (t) => {
  const server = await serve(t);
  const proj = readFileSync(new URL("../../crates/geo-filter/tests/data/projections.csv", import.meta.url), "utf8");
  const rows = proj.trim().split("\n").slice(1).map((line) => line.split(",").map(Number));
  const places = [
    { name: "LV95", code: 2056, at: "8.2,46.8,500", tolerance: 2 },
    // PROJ's command line writes north first, as the authority has it.
    { name: "LAEA", code: 3035, at: "10,50,5000", swapped: true, tolerance: 2 },
    { name: "Arctic", code: 3995, at: "0,90,9000", tolerance: 2 },
    { name: "Antarctic", code: 3031, at: "0,-90,9000", tolerance: 2 },
    { name: "Mercator", code: 3857, at: "0,0,70000", tolerance: 0.01 },
  ];
  const expected = (code, swapped) =>
    new Map(rows.filter(([row]) => row === code).map(([, longitude, latitude, first, second], i) => [`${code}-${i}`, { longitude, latitude, x: swapped ? second : first, y: swapped ? first : second }]));
  for (const { code } of places) {
    for (const [key, { longitude, latitude }] of expected(code)) await put(server, "places", point(key, longitude, latitude));
  }
  const page = await openMap(t, server, { hash: "#channel=places&crs=EPSG:3857&at=0,20,40000" });
  for (const { name, code, swapped, at, tolerance } of places) {
    // The radio button is its label to those who see it.
    await page.locator("#systems label", { hasText: new RegExp(`^${name}$`) }).click();
    await said(page, "#projection-code", new RegExp(`^EPSG:${code}$`));
    await page.evaluate(([longitude, latitude, resolution]) => globalThis.geocast.look({ centre: [longitude, latitude], resolution }), at.split(",").map(Number));
    const wanted = expected(code, swapped);
    const places = Object.fromEntries([...wanted].map(([key, { longitude, latitude }]) => [key, [longitude, latitude]]));
    let there = {};
    await until(
      async () => {
        there = await shown(page, places);
        return [...wanted.keys()].every((key) => key in there);
      },
      () => `${name}: there is ${Object.keys(there)}`,
    );
    for (const [key, { x, y }] of wanted) {
      const { told, at, screen, land } = there[key];
      const off = Math.hypot(told[0] - x, told[1] - y);
      assert.ok(off < 0.001, `${name}: the server says ${told}, PROJ says ${x}, ${y}`);
      assert.deepEqual(at, told);
      // The land is projected in the page, by proj4: where that has the place, the feature is.
      const pixels = Math.hypot(land[0] - screen[0], land[1] - screen[1]);
      assert.ok(pixels < tolerance, `${name}: ${key} is drawn ${pixels} pixels away from its place on the land`);
    }
  }
  // And the server says it.
  const { crs } = await page.evaluate(() => globalThis.geocast.live.client.session());
  assert.equal(crs, "EPSG:3857");
});

bounded("the page comes back when the server does", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  const page = await openMap(t, server, { hash: AT_BERN, expected: [UNREACHED] });
  await shows(page, ["1"]);
  await server.end("SIGKILL");
  await said(page, "#connection", /^(back in \d+ s|connecting)$/);
  // What was there stays on the map until it is known to be gone.
  await shows(page, ["1"]);
  const again = await serve(t, { port: server.port });
  await put(again, "cars", { ...BERN, id: 3 });
  await said(page, "#connection", /^live$/);
  await shows(page, ["3"]);
});

bounded("kinds that are switched off are not sent", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "cars", point(3, 7.46, 46.96, { type: "bus" }));
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1", "3"]);
  await page.locator(".kind", { hasText: "bus" }).click();
  await shows(page, ["1"]);
  const { viewport } = await page.evaluate(() => globalThis.geocast.live.client.session());
  assert.deepEqual(viewport.properties, { type: ["tram"] });
  await page.locator(".kind", { hasText: "bus" }).click();
  await shows(page, ["1", "3"]);
});

bounded("a second viewport has a connection of its own and is drawn in the first", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  const page = await openMap(t, server, { hash: AT_BERN });
  await shows(page, ["1"]);
  const connections = async () => (await (await fetch(`${server.http}/ready`)).json()).connections;
  assert.equal(await connections(), 1);
  await page.locator("label", { hasText: "Second viewport" }).click();
  await until(async () => (await connections()) === 2);
  const second = () => page.evaluate(async () => {
    const { live, frame } = globalThis.geocast.second;
    const { viewport, crs } = await live.client.session();
    return { viewport, crs, frame: frame.getGeometry().getCoordinates()[0].length, keys: [...live.things.keys()] };
  });
  await until(async () => (await second()).crs === "EPSG:2056");
  assert.ok((await second()).frame > 4, "its edge is bent");
  // It looks elsewhere than the first: what it shows is its own.
  await page.evaluate(() => globalThis.geocast.second.map.getView().setCenter([2600000, 1200000]));
  await until(async () => (await second()).keys.join() === "1");
  await page.selectOption("#second-system", "EPSG:3035");
  await until(async () => (await second()).viewport?.crs === "EPSG:3035");
  await page.locator("#second-close").click();
  await until(async () => (await connections()) === 1);
});

bounded("a click shows what the server says of a feature", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  await put(server, "cars", { ...point(4), geometry: { type: "LineString", coordinates: [[7.4, 46.9], [7.5, 46.9]] } });
  const page = await openMap(t, server, { hash: AT_BERN.replace("3857", "2056") });
  await shows(page, ["1", "4"]);
  await page.mouse.click(...(await shown(page))["1"].screen);
  const text = await said(page, "#feature-body", /tram/);
  // PROJ: 2 600 865, 1 199 880.
  assert.match(text, /EPSG:2056\[2600\d{3}[.\d]*, 1199\d{3}[.\d]*\]/);
  await page.mouse.click(...(await page.evaluate(() => globalThis.geocast.pixelOf([7.44, 46.9]))));
  await said(page, "#feature-body", /^key4geometryLineString/);
  await page.mouse.click(60, 500);
  assert.equal(await page.locator("#feature").isVisible(), false);
});

bounded("raw frames are a bounded list that can be paused", async (t) => {
  const server = await serve(t);
  const page = await openMap(t, server, { hash: AT_BERN });
  await page.locator("#frames summary").click();
  // One after the other: what waits for a slow client would come together.
  const moves = async (number) => {
    await put(server, "cars", point(1, 7.45, 46.95, { number }));
    await until(() => page.evaluate((number) => globalThis.geocast.live.told("1")?.properties.number === number, number));
  };
  for (let number = 0; number < 120; number++) await moves(number);
  await until(async () => (await page.textContent("#frame-list")).includes('"number":119'));
  assert.equal(await page.locator("#frame-list li").count(), 100);
  await page.locator("#frames-pause").click();
  await moves(120);
  assert.ok(!(await page.textContent("#frame-list")).includes('"number":120'));
});

bounded("a phone has no horizontal scroll", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  const page = await openMap(t, server, { hash: `${AT_BERN}&second`, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await shows(page, ["1"]);
  await page.locator("#frames summary").click();
  const wide = await page.evaluate(() => {
    const over = [...document.querySelectorAll("body, .panel, .panel *, .stage > *:not(.map), .second *")].filter((element) => {
      const { right, left, width } = element.getBoundingClientRect();
      return width > 0 && !element.closest(".map") && (right > innerWidth + 0.5 || left < -0.5);
    });
    return { page: document.documentElement.scrollWidth, over: over.map((element) => element.outerHTML.slice(0, 80)) };
  });
  assert.deepEqual(wide, { page: 390, over: [] });
});

bounded("the map is moved by keys, and where the focus is can be seen", async (t) => {
  const server = await serve(t);
  const page = await openMap(t, server, { hash: AT_BERN });
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "map");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid");
  const place = () => page.evaluate(() => ({ centre: globalThis.geocast.map.getView().getCenter(), resolution: globalThis.geocast.map.getView().getResolution() }));
  const before = await place();
  await page.keyboard.press("ArrowRight");
  await until(async () => (await place()).centre[0] > before.centre[0]);
  await page.keyboard.press("+");
  await until(async () => (await place()).resolution < before.resolution);
  // Everything that can be used is reached by Tab, and shows that it is.
  const reached = new Set();
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press("Tab");
    const [name, seen] = await page.evaluate(() => {
      const element = document.activeElement;
      const holder = element.closest("label") ?? element;
      const outlined = [element, holder].some((one) => getComputedStyle(one).outlineStyle === "solid");
      return [element.id || element.name || element.tagName, outlined];
    });
    reached.add(name);
    if (name !== "BODY") assert.ok(seen, `${name} does not show that it has the focus`);
  }
  for (const name of ["zoom-in", "zoom-out", "fit", "channel", "theme", "system", "still", "second-switch", "SUMMARY"]) {
    assert.ok(reached.has(name), `${name} is not reached: ${[...reached]}`);
  }
});

bounded("it is dark or light as the system is, or as was chosen", async (t) => {
  const server = await serve(t);
  const page = await openMap(t, server, { colorScheme: "dark" });
  const theme = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
  const [dark, darkness] = await theme();
  assert.equal(dark, "dark");
  await page.emulateMedia({ colorScheme: "light" });
  await until(async () => (await theme())[0] === "light");
  assert.notEqual((await theme())[1], darkness);
  await page.locator("#theme").click();
  assert.deepEqual(await theme(), [dark, darkness]);
  await page.reload();
  assert.deepEqual(await theme(), [dark, darkness]);
});

bounded("things are shown on their way, unless motion is to be reduced", async (t) => {
  const server = await serve(t);
  await put(server, "cars", BERN);
  /** How many places between those that were told have been drawn, in so many moves at most: a slow machine draws few. */
  const between = async (reducedMotion, most) => {
    const page = await openMap(t, server, { hash: AT_BERN, reducedMotion });
    await shows(page, ["1"]);
    await page.evaluate(() => {
      const { live } = globalThis.geocast;
      globalThis.places = new Set();
      live.layer.on("postrender", () => globalThis.places.add(live.things.get("1")?.shown.getCoordinates()[0]));
    });
    const told = [(await shown(page))["1"].told[0]];
    let seen = 0;
    for (let move = 0; move < most && seen === 0; move++) {
      const longitude = 7.46 + (move % 3) / 100;
      await put(server, "cars", point(1, longitude, 46.95));
      const x = (longitude * HALF_WORLD) / 180;
      told.push(x);
      // Drawn where it is told to be, and not only told.
      await until(async () => Math.abs((await shown(page))["1"].at[0] - x) < 1);
      const places = await page.evaluate(() => [...globalThis.places]);
      seen = places.filter((place) => told.every((x) => Math.abs(place - x) > 1)).length;
    }
    return seen;
  };
  assert.equal(await between("reduce", 3), 0);
  assert.ok((await between("no-preference", 50)) > 0);
});

bounded("a token opens the channels that it names", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "geocast-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const key = join(folder, "key");
  writeFileSync(key, secret);
  const server = await serve(t, { arguments: ["--jwt-key-file", key, "--channels", "none_*"] });
  const page = await openMap(t, server, { hash: "#channel=ships" });
  await said(page, "#refusal", /ships/);
  await page.locator("#access summary").click();
  await page.fill("#token", token({ sub: ["ships"] }));
  await page.locator("#access-form button").click();
  await until(async () => (await page.locator("#channels option").count()) === 1);
  assert.equal(await page.locator("#refusal").isVisible(), false);
  await said(page, "#access-state", /in use/);
});

bounded("without a channel it asks for one", async (t) => {
  const server = await serve(t);
  const page = await open(t, server);
  await said(page, "#empty", /Name a channel/);
  await page.fill("#channel", "anything");
  await page.keyboard.press("Enter");
  await until(() => new URL(page.url()).hash.includes("channel=anything"));
});
