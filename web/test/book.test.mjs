// The pages that the book has for whoever copies them, in a browser: with the libraries that they name, and without anybody's tiles.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { point, put, remove, serve, until } from "../../clients/js/test/server.mjs";
import { bounded, open, UNREACHED } from "./browser.mjs";
import { elsewhere } from "./elsewhere.mjs";
import { host } from "./host.mjs";
import { drag, READBACK } from "./maps.mjs";

/** Opens the page of a document that has this title. The server is `serve`d with what else it needs. */
async function openPage(t, document, title, options = {}) {
  const { http, shows } = await host(t);
  const more = ["--allow-origin", http, ...(options.arguments ?? [])];
  const server = await serve(t, { ...options, arguments: more });
  const text = readFileSync(new URL(`../../docs/${document}`, import.meta.url), "utf8");
  const pages = [...text.matchAll(/^```html\n([^]*?)^```$/gm)].map(([, page]) => page);
  const written = pages.find((page) => page.includes(`<title>${title}</title>`));
  assert.ok(written, `${document} has no page ${title}`);
  const address = /ws:\/\/(?:localhost|127\.0\.0\.1):8765/g;
  assert.equal(written.match(address)?.length, 1);
  shows(written.replace(address, `ws://127.0.0.1:${server.port}`));
  const page = await open(t, { http }, { path: "/page.html", elsewhere, expected: [UNREACHED, READBACK] });
  return { page, server, again: () => serve(t, { ...options, arguments: more, port: server.port }) };
}

/** Longitude and latitude of what is drawn on a map of MapLibre, by name. */
function circles(page) {
  return page.evaluate(() => {
    // Until the style is there, there is no layer.
    const drawn = map.getLayer("places") ? map.queryRenderedFeatures({ layers: ["places"] }) : [];
    return Object.fromEntries(drawn.map(({ properties, geometry }) => [properties.name, geometry.coordinates]));
  });
}

/** The same by key, of what is in the source and is drawn. Names are no ids to MapLibre where it draws. */
function vehicles(page) {
  return page.evaluate(async () => {
    if (!map.getLayer("vehicles")) return {};
    const { features } = await map.getSource("vehicles").getData();
    const isDrawn = ({ geometry }) => map.queryRenderedFeatures(map.project(geometry.coordinates), { layers: ["vehicles"] }).length > 0;
    return Object.fromEntries(features.filter(isDrawn).map(({ id, geometry }) => [id, geometry.coordinates]));
  });
}

/** Longitude and latitude of what is on a map of OpenLayers, and is drawn there. */
function rings(page) {
  return page.evaluate(() => {
    const drawn = source.getFeatures().filter((feature) => {
      const pixel = map.getPixelFromCoordinate(feature.getGeometry().getCoordinates());
      return pixel && map.getFeaturesAtPixel(pixel).includes(feature);
    });
    return Object.fromEntries(drawn.map((feature) => [feature.getId(), ol.proj.toLonLat(feature.getGeometry().getCoordinates())]));
  });
}

/** Waits until these are drawn, and no others. */
async function draws(what, expected) {
  let there;
  await until(
    async () => (there = Object.keys(await what()).sort().join()) === expected,
    () => `there is drawn ${there}, and not ${expected}`,
  );
}

bounded("the map of the tutorial shows places, and what becomes of them", async (t) => {
  const { page, server, again } = await openPage(t, "tutorial.md", "Places");
  const named = (id, longitude, latitude, name) => put(server, "places", point(id, longitude, latitude, { name }));
  const drawn = () => circles(page);
  await named("first", 8.54, 47.38, "Zürich");
  await named("bern", 7.439, 46.949, "Bern");
  await named("geneva", 6.142, 46.21, "Genève");
  await named("lugano", 8.947, 46.005, "Lugano");
  await named("paris", 2.352, 48.857, "Paris");
  await draws(drawn, "Bern,Genève,Lugano,Paris,Zürich");
  await named("bern", 7.6, 47.2, "Bern");
  await remove(server, "places", "lugano");
  await until(async () => Math.abs((await drawn()).Bern[0] - 7.6) < 0.01, () => "Bern does not move");
  await draws(drawn, "Bern,Genève,Paris,Zürich");

  // Whoever pans is sent what is new in view, and told what has left it: places that are not in view are not in the source.
  await named("vienna", 16.37, 48.21, "Wien");
  const source = async () => (await page.evaluate(() => map.getSource("places").getData())).features.map(({ id }) => id).sort().join();
  await drag(page, [1000, 400], [500, 400]);
  await draws(drawn, "Bern,Wien,Zürich");
  await until(async () => (await source()) === "bern,first,vienna", () => "the source has other places");

  // The page comes back by itself, to an empty map, as the state was in memory.
  await server.end("SIGKILL");
  const other = await again();
  await draws(drawn, "");
  await put(other, "places", point("graz", 15.44, 47.07, { name: "Graz" }));
  await draws(drawn, "Graz");
});

/** The demo moves on the page; nothing of it is there when the page looks elsewhere, and all when it is back. */
async function followsTheDemo(page, drawn, look) {
  await until(async () => Object.keys(await drawn()).length > 5, () => "hardly anything is drawn");
  const first = await drawn();
  const moved = ([key, [x, y]], now) => now[key] && Math.hypot(now[key][0] - x, now[key][1] - y) > 0.002;
  await until(
    async () => {
      const now = await drawn();
      return Object.entries(first).some((one) => moved(one, now));
    },
    () => "nothing moves",
  );
  await look([0, 0]);
  await draws(drawn, "");
  await look([8.54, 47.38]);
  await until(async () => Object.keys(await drawn()).length > 5, () => "hardly anything comes back");
}

bounded("vehicles move on the book's page with MapLibre", async (t) => {
  const { page } = await openPage(t, "tracking.md", "Vehicles on MapLibre", { command: "demo", arguments: ["--vehicles", "60"] });
  const source = () => page.evaluate(async () => (await map.getSource("vehicles").getData()).features.length);
  await followsTheDemo(page, () => vehicles(page), async (center) => {
    await page.evaluate((center) => map.jumpTo({ center }), center);
    if (center[0] === 0) await until(async () => (await source()) === 0, () => "what is outside stays in the source");
  });
});

bounded("vehicles move on the book's page with OpenLayers", async (t) => {
  const { page } = await openPage(t, "tracking.md", "Vehicles on OpenLayers", { command: "demo", arguments: ["--vehicles", "60"] });
  await followsTheDemo(page, () => rings(page), async (centre) => {
    await page.evaluate((centre) => map.getView().setCenter(ol.proj.fromLonLat(centre)), centre);
    if (centre[0] === 0) await until(() => page.evaluate(() => source.getFeatures().length === 0), () => "what is outside stays in the source");
  });
});
