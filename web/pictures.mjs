// Makes the pictures of docs/images anew, from pages that servers show: GEOCAST=../target/release/geocast npm run pictures. Names behind
// `--` make those alone. They are drawn in the font Inter where it is installed (Debian has it as fonts-inter).
import { fileURLToPath } from "node:url";
import { put, serve, until } from "../clients/js/test/server.mjs";
import { bounded, openMap } from "./test/browser.mjs";
import { deaf } from "./test/deaf.mjs";
import { READBACK } from "./test/maps.mjs";
import { openOperator, operated, row } from "./test/operator.mjs";

const wanted = process.argv.slice(2);
const DESK = { viewport: { width: 1280, height: 820 }, reducedMotion: "no-preference" };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, reducedMotion: "no-preference" };

function picture(name, made) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  bounded(name, async (t) => {
    const page = await made(t);
    await page.screenshot({ path: fileURLToPath(new URL(`../docs/images/${name}`, import.meta.url)) });
  });
}

/** Waits until the page has shown what became of events for so many seconds. */
async function seconds(page, number) {
  const began = performance.now();
  await until(() => performance.now() - began > number * 1000);
  await page.mouse.move(5, 400);
}

picture("live-map.png", async (t) => {
  const server = await serve(t, { command: "demo" });
  const hash = "#channel=vehicles&crs=EPSG:3857&at=8.3,47.0,190&second";
  const page = await openMap(t, server, { ...DESK, hash, colorScheme: "dark", expected: [READBACK] });
  await until(() => page.evaluate(() => globalThis.geocast.second?.live.things.size !== undefined));
  // Zürich, in LV95.
  await page.evaluate(() => {
    const view = globalThis.geocast.second.map.getView();
    view.setCenter([2683000, 1249000]);
    view.setResolution(64);
  });
  await seconds(page, 45);
  return page;
});

picture("live-map-light.png", async (t) => {
  const server = await serve(t, { command: "demo" });
  const page = await openMap(t, server, { ...DESK, hash: "#channel=vehicles&crs=EPSG:2056&at=8.538,47.38,25", colorScheme: "light" });
  await until(() => page.evaluate(() => globalThis.geocast.live.things.size > 10));
  if ((await page.locator(".kind", { hasText: "bus" }).count()) > 0) await page.locator(".kind", { hasText: "bus" }).click();
  await seconds(page, 45);
  return page;
});

picture("live-map-phone.png", async (t) => {
  const server = await serve(t, { command: "demo" });
  const page = await openMap(t, server, { ...PHONE, hash: "#channel=vehicles&crs=EPSG:3857&at=8.2,46.9,500", colorScheme: "dark" });
  await seconds(page, 30);
  return page;
});

/** Who flies between which cities, in degrees. */
const CITIES = [[-149.9, 61.2], [8.6, 50], [139.8, 35.6], [-0.5, 51.5], [-73.8, 40.6], [116.6, 40.1], [-122.4, 37.6], [37.4, 56], [-79.6, 43.7], [24.9, 60.3], [-22.6, 64], [126.5, 37.5]];
const RADIANS = Math.PI / 180;

/** A part of the way along a great circle. */
function between([west, south], [east, north], part) {
  const vector = ([longitude, latitude]) => [Math.cos(latitude * RADIANS) * Math.cos(longitude * RADIANS), Math.cos(latitude * RADIANS) * Math.sin(longitude * RADIANS), Math.sin(latitude * RADIANS)];
  const [one, other] = [vector([west, south]), vector([east, north])];
  const angle = Math.acos(one.reduce((sum, value, i) => sum + value * other[i], 0));
  const [x, y, z] = one.map((value, i) => (value * Math.sin((1 - part) * angle) + other[i] * Math.sin(part * angle)) / Math.sin(angle));
  return [Math.atan2(y, x) / RADIANS, Math.asin(z) / RADIANS];
}

picture("live-map-arctic.png", async (t) => {
  const server = await serve(t);
  const page = await openMap(t, server, { ...DESK, hash: "#channel=flights&crs=EPSG:3995&at=0,90,11000", colorScheme: "light" });
  const flights = CITIES.flatMap((from, i) => CITIES.filter((_, j) => i !== j).map((to, j) => ({ id: i * 100 + j, from, to, began: ((i * 31 + j * 17) % 50) / 50 })));
  for (let second = 0; second < 40; second++) {
    const ends = performance.now() + 1000;
    for (const { id, from, to, began } of flights) {
      const part = (began + second / 800) % 1;
      const [at, next] = [between(from, to, part), between(from, to, part + 0.001)];
      const heading = Math.atan2((next[0] - at[0]) * Math.cos(at[1] * RADIANS), next[1] - at[1]) / RADIANS;
      const type = id % 3 === 0 ? "cargo" : "passenger";
      await put(server, "flights", { type: "Feature", id, geometry: { type: "Point", coordinates: at }, properties: { type, heading: (heading + 360) % 360 } });
    }
    await until(() => performance.now() > ends);
  }
  await page.mouse.move(5, 400);
  return page;
});

/** The operator's page of a demo, with clients that look at some places, of whom two do not read. */
async function operator(t, options) {
  const patient = ["--write-timeout", "10m", "--outbox-bytes", "64MiB"];
  const server = await operated(t, { command: "demo", arguments: patient });
  const places = ["3857&at=8.2,46.8,420", "2056&at=7.45,46.95,60", "3857&at=8.54,47.38,30", "3857&at=6.2,46.2,45", "2056&at=7.6,47.55,35", "2056&at=9.4,47.4,45", "3857&at=8.9,46.2,50"];
  for (const place of places) await openMap(t, server, { hash: `#channel=vehicles&crs=EPSG:${place}` });
  await deaf(t, server, "BBOX 7.8 46.4 9.9 47.2", "SUB vehicles", "SUB filler");
  await deaf(t, server, "BBOX 6.5 45.9 7.6 46.6", "SUB vehicles", "SUB filler");
  const page = await openOperator(t, server, options);
  const filler = JSON.stringify({ x: "x".repeat(60_000) });
  await until(async () => {
    for (let number = 0; number < 10; number++) await fetch(`${server.http}/api/publish/filler`, { method: "POST", body: filler });
    return (await row(page, 1))[3] === "slow";
  });
  await page.locator("#fit").click();
  await seconds(page, 30);
  return page;
}

picture("operator.png", (t) => operator(t, { ...DESK, colorScheme: "dark" }));
picture("operator-phone.png", (t) => operator(t, { ...PHONE, colorScheme: "dark" }));
