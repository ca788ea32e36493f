// The ground of the live map: land, sea, and what is drawn while there is none.
import assert from "node:assert/strict";
import { serve, until } from "../../clients/js/test/server.mjs";
import { bounded, openMap, UNREACHED } from "./browser.mjs";

/** A place of the land and one of the sea, in a view of a system. Which is which a globe tells. */
const PLACES = [
  { name: "Mercator", at: [10, 44, 4000], land: [3.3, 47.3], sea: [5.3, 40.3] },
  { name: "LV95", at: [8.2, 46.8, 1500], land: [3.3, 47.3], sea: [8.7, 43.3] },
  { name: "LAEA", at: [10, 52, 6000], land: [25.3, 53.3], sea: [-9.3, 46.3] },
  { name: "Arctic", at: [0, 90, 9000], land: [-43.3, 72.3], sea: [-3.3, 83.3] },
  { name: "Antarctic", at: [0, -90, 9000], land: [83.3, -78.3], sea: [-33.3, -63.3] },
];

/** Shows a place in its system, and waits until both of its colours are those of the theme. */
async function differs(page, { name, at: [longitude, latitude, resolution], land, sea }) {
  await page.locator("#systems label", { hasText: new RegExp(`^${name}$`) }).click();
  await page.evaluate((place) => globalThis.geocast.look(place), { centre: [longitude, latitude], resolution });
  let there;
  const isSo = async () => (there = await page.evaluate(colours, { land, sea })).drawn === there.wanted;
  await until(isSo, () => `${name}: ${there.drawn}, and not ${there.wanted}`);
  assert.notEqual(...there.drawn.split(" "));
}

/** In the page: what is drawn at both places, and what the theme has for them. */
function colours({ land, sea }) {
  const canvas = document.querySelector("#map canvas.ground");
  const box = canvas.getBoundingClientRect();
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const read = () => [...pixel.getImageData(0, 0, 1, 1).data].join();
  const drawn = (place) => {
    const [x, y] = globalThis.geocast.pixelOf(place);
    pixel.drawImage(canvas, Math.round(box.x - x), Math.round(box.y - y));
    return read();
  };
  const wanted = (name) => {
    pixel.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    pixel.fillRect(0, 0, 1, 1);
    return read();
  };
  return { drawn: [drawn(land), drawn(sea)].join(" "), wanted: [wanted("--land"), wanted("--sea")].join(" ") };
}

bounded("land differs from the sea in each projection, in the colours of the theme", async (t) => {
  const server = await serve(t);
  const page = await openMap(t, server, { hash: "#channel=cars" });
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    await until(async () => (await page.evaluate(() => document.documentElement.dataset.theme)) === theme);
    for (const place of PLACES) await differs(page, place);
  }
});

bounded("land that does not come at once is asked for again, by nobody's hand", async (t) => {
  const server = await serve(t);
  let asked = 0;
  const prepare = (page) => page.route(/countries-50m/, (route) => (++asked <= 2 ? route.abort("connectionrefused") : route.continue()));
  const page = await openMap(t, server, { hash: "#channel=cars", prepare, expected: [UNREACHED] });
  await differs(page, PLACES[0]);
  assert.equal(asked, 3);
});
