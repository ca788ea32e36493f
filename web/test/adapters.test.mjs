// The adapters of the client on real maps: what its README has for OpenLayers and MapLibre, built by Vite, against a real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { point, put, remove, serve, until } from "../../clients/js/test/server.mjs";
import { bounded, open, UNREACHED } from "./browser.mjs";
import { elsewhere } from "./elsewhere.mjs";
import { host } from "./host.mjs";
import { drag, MAPLIBRE, OPENLAYERS, READBACK } from "./maps.mjs";

const folder = fileURLToPath(new URL("../../clients/js/", import.meta.url));
const readme = readFileSync(`${folder}README.md`, "utf8");
const examples = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text]) => text);
const [, element] = /`(<div id="map"[^`]*)`/.exec(readme);

/** A program as Vite builds it for a page of somebody who has the client as a package; `map` and `source` can be looked at. */
async function built(program, style) {
  const entry = `${folder}example.ts`;
  assert.ok(readme.includes(`\`import "${style}"\``), `the README says nothing of ${style}`);
  const text = `import "${style}";\n${program}\nObject.assign(globalThis, { map }, typeof source === "undefined" ? {} : { source });`;
  const example = { name: "example", enforce: "pre", resolveId: (id) => (id === entry ? id : null), load: (id) => (id === entry ? text : null) };
  const { output } = await build({
    configFile: false,
    root: folder,
    logLevel: "error",
    plugins: [example],
    resolve: {
      alias: [
        { find: /^geocast-client$/, replacement: `${folder}src/index.ts` },
        { find: /^geocast-client\/(\w+)$/, replacement: `${folder}src/$1.ts` },
      ],
    },
    build: { write: false, minify: false, target: "esnext", cssMinify: false, modulePreload: false, chunkSizeWarningLimit: 10_000, rollupOptions: { input: entry, treeshake: false } },
  });
  const styles = output.filter(({ fileName }) => fileName.endsWith(".css")).map(({ source }) => source);
  return { script: output.find(({ isEntry }) => isEntry).code, styles: styles.join("\n") };
}

/** A page that has one of the README's programs, with the whole address of a server that it may connect to. */
async function openExample(t, name, style) {
  const { http, shows } = await host(t);
  const options = { arguments: ["--allow-origin", http] };
  const server = await serve(t, options);
  const program = examples.find((text) => text.includes(`from "geocast-client/${name}"`));
  assert.ok(program?.includes('connect("/rpc")'), `there is no example of ${name}`);
  const { script, styles } = await built(program.replace("/rpc", server.url), style);
  shows(`<!doctype html><title>${name}</title><style>body { margin: 0 } ${styles}</style>${element}<script type="module" src="page.js"></script>`, script);
  const expected = [UNREACHED, READBACK];
  const page = await open(t, { http }, { path: "/page.html", elsewhere, viewport: { width: 600, height: 400 }, expected });
  await until(() => page.evaluate(() => globalThis.map !== undefined));
  return { page, server, again: () => serve(t, { ...options, port: server.port }) };
}

/** Follows what is published, a pan, another size of the page, and another server. `degree` is one of longitude, in pixels. */
async function follows({ page, server, again }, { ids, at }, degree) {
  const shows = async (expected) => {
    let there;
    await until(async () => (there = await ids(page)) === expected, () => `there is ${there}, and not ${expected}`);
  };
  const draws = async (expected, longitude, latitude) => {
    let there;
    const isSo = async () => (there = await at(page, longitude, latitude)) === expected;
    await until(isSo, () => `at ${longitude}, ${latitude} there is drawn ${there}, and not ${expected}`);
  };
  const type = { type: "bus" };
  const east = 8.54 + 510 / degree;
  await put(server, "vehicles", point(1, 8.54, 47.38, type));
  await put(server, "vehicles", point(2, east, 47.38, type));
  await shows("1");
  await draws("1", 8.54, 47.38);
  await put(server, "vehicles", point(1, 8.54 + 60 / degree, 47.3, type));
  await draws("1", 8.54 + 60 / degree, 47.3);
  await draws("", 8.54, 47.38);

  // What is outside comes when the map is there, and what was inside goes.
  await drag(page, [500, 200], [100, 200]);
  await shows("2");
  await draws("2", east, 47.38);
  await put(server, "vehicles", point(3, 8.54, 47.38, type));
  await put(server, "vehicles", point(4, east, 47.3, type));
  await shows("2,4");
  await page.setViewportSize({ width: 1400, height: 400 });
  await shows("1,2,3,4");
  await draws("3", 8.54, 47.38);
  await remove(server, "vehicles", 3);
  await draws("", 8.54, 47.38);
  await shows("1,2,4");

  await server.end("SIGKILL");
  const other = await again();
  await put(other, "vehicles", point(5, east, 47.35, type));
  await shows("5");
  await draws("5", east, 47.35);
  await draws("", east, 47.38);
  return { server: other, shows, draws };
}

bounded("OpenLayers shows what the server has, by the program of the README", async (t) => {
  const opened = await openExample(t, "openlayers", "ol/ol.css");
  const { page } = opened;
  const { server, shows } = await follows(opened, OPENLAYERS, 182.04);
  // On both sides of the antimeridian, which is in the middle.
  await put(server, "vehicles", point(6, 179.9, 0));
  await put(server, "vehicles", point(7, -179.9, 0));
  await page.evaluate(() => map.getView().setCenter([20037508.342789244, 0]));
  await shows("6,7");
  // Another view, in another system: the server tells all of it anew, as the map is to draw it.
  await page.evaluate(() => {
    const View = map.getView().constructor;
    map.setView(new View({ projection: "EPSG:4326", center: [9, 47.4], resolution: 0.01 }));
  });
  await shows("5");
  const [pixel, centre] = await page.evaluate(() => {
    const [longitude] = source.getFeatureById("5").getGeometry().getCoordinates();
    return [map.getPixelFromCoordinate([longitude, 47.35]), longitude];
  });
  assert.ok(centre > 11 && centre < 11.5, `${centre} are no degrees`);
  await until(() => page.evaluate((pixel) => map.getFeaturesAtPixel(pixel).length === 1, pixel));
});

bounded("MapLibre shows what the server has, by the program of the README", async (t) => {
  const opened = await openExample(t, "maplibre", "maplibre-gl/dist/maplibre-gl.css");
  const { page } = opened;
  await until(() => page.evaluate(() => map.getSource("vehicles") !== undefined));
  const { server, shows, draws } = await follows(opened, MAPLIBRE, 364.09);
  // On both sides of the antimeridian, which is in the middle; then all of the world, more than once; then turned and tilted.
  await put(server, "vehicles", point(6, 179.9, 0, { type: "rail" }));
  await put(server, "vehicles", point(7, -179.9, 0, { type: "rail" }));
  await put(server, "vehicles", point(8, -179.9, 0.1, { type: "ship" }));
  await page.evaluate(() => map.jumpTo({ center: [180, 0] }));
  await shows("6,7");
  await draws("6", 179.9, 0);
  await draws("7", 180.1, 0);
  await page.evaluate(() => map.jumpTo({ center: [0, 0], zoom: 0 }));
  await shows("5,6,7");
  await page.evaluate(() => map.jumpTo({ center: [8.54, 47.38], zoom: 8, bearing: 45, pitch: 50 }));
  await shows("5");
});
