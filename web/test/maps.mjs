// What is on a real map of OpenLayers or MapLibre: the page's own `map`, and what it draws.

const HALF_WORLD = 20037508.342789244;

/** What Chromium says when it is asked what is drawn at a place: on a map of OpenLayers, and on one of MapLibre where no graphics card draws. */
export const READBACK = /willReadFrequently|GPU stall due to ReadPixels/;

/** What OpenLayers and MapLibre have in common for tests. `ids` are what the source has, `at` what is drawn at a place. */
export const OPENLAYERS = {
  ids: (page) => page.evaluate(() => source.getFeatures().map((feature) => String(feature.getId())).sort().join()),
  at: (page, longitude, latitude) =>
    page.evaluate(
      ([x, y]) => map.getFeaturesAtPixel(map.getPixelFromCoordinate([x, y]) ?? [-1, -1]).map((feature) => String(feature.getId())).sort().join(),
      mercator(longitude, latitude),
    ),
};

export const MAPLIBRE = {
  ids: (page) => page.evaluate(async () => (await map.getSource("vehicles").getData()).features.map(({ id }) => String(id)).sort().join()),
  at: (page, longitude, latitude) =>
    page.evaluate((place) => {
      const drawn = map.queryRenderedFeatures(map.project(place), { layers: ["vehicles"] });
      return [...new Set(drawn.map(({ id }) => String(id)))].sort().join();
    }, [longitude, latitude]),
};

/** Drags what is shown to the left or right, and lets go when it lies still, so that it does not glide on. */
export async function drag(page, from, to) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 25 });
  await page.evaluate(() => new Promise((done) => setTimeout(done, 500)));
  await page.mouse.up();
}

/** In metres of EPSG:3857. */
export function mercator(longitude, latitude) {
  return [(longitude / 180) * HALF_WORLD, (Math.log(Math.tan(Math.PI / 4 + (latitude / 360) * Math.PI)) / Math.PI) * HALF_WORLD];
}

/** In degrees. */
export function degrees([x, y]) {
  return [(x / HALF_WORLD) * 180, (Math.atan(Math.sinh((y / HALF_WORLD) * Math.PI)) / Math.PI) * 180];
}
