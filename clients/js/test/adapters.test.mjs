// The adapters with what OpenLayers and MapLibre have without a page: view, source, format, diffs. On real maps, in a browser, they
// are tried by web/test/adapters.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenLayersView from "ol/View.js";
import VectorSource from "ol/source/Vector.js";
import { follow as followMapLibre } from "../dist/maplibre.js";
import { follow as followOpenLayers } from "../dist/openlayers.js";
import { client } from "./client.mjs";
import { Source } from "./maplibre.mjs";
import { line, point, put, serve, until } from "./server.mjs";

/** A map of which only the view is there. */
class OpenLayersMap {
  listeners = new Set();
  view = new OpenLayersView({ center: [0, 0], resolution: 1000 });
  getView = () => this.view;
  size = undefined;
  getSize = () => this.size;
  on = (_name, listener) => this.listeners.add(listener);
  un = (_name, listener) => this.listeners.delete(listener);
  move(center, rotation = 0, resolution = 1000) {
    this.view.setCenter(center);
    this.view.setRotation(rotation);
    this.view.setResolution(resolution);
    for (const listener of this.listeners) listener();
  }
}

const degree = 111319.490793;
const ids = (source) => source.getFeatures().map((feature) => feature.getId()).sort().join();

test("a source of OpenLayers is what the map shows", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  await put(server, "vehicles", point(1, 0, 0, { name: "a", old: 1 }));
  await put(server, "vehicles", point(2, 20, 0));
  await put(server, "vehicles", point(3, 179.9, 0));
  await put(server, "vehicles", point(4, -179.9, 0));
  // In the corner of a view that is turned by 45 degrees, outside of it when it is not.
  await put(server, "vehicles", point(5, 0.6, 0));
  const geocast = client(t, wire.url);
  const map = new OpenLayersMap();
  const source = new VectorSource();
  const { tracked, stop } = followOpenLayers(geocast, map, source, "vehicles", { rest: 10, tolerance: 1 });
  // Not shown yet: the server is not asked for the world.
  await tracked.ready;
  assert.deepEqual((await geocast.session()).viewport.bbox, [0, -90, 0, -90]);
  map.size = [100, 100];
  map.move([0, 0]);
  const shows = (expected) => until(() => ids(source) === expected, () => `${ids(source)}, not ${expected}`);
  await shows("1");
  const shown = source.getFeatureById("1");
  assert.equal(shown.get("name"), "a");
  const { viewport, crs } = await geocast.session();
  assert.deepEqual([viewport.bbox, crs], [[-50000, -50000, 50000, 50000], "EPSG:3857"]);
  assert.ok(Math.abs(viewport.zoom - Math.log2(156543.033928 / 1000)) < 1e-6);

  // What changes stays the same object, so that who has selected it keeps it.
  await put(server, "vehicles", point(1, 0.1, 0, { name: "b" }));
  await until(() => shown.get("name") === "b");
  assert.equal(source.getFeatureById("1"), shown);
  assert.equal(shown.get("old"), undefined);
  assert.ok(Math.abs(shown.getGeometry().getCoordinates()[0] - 0.1 * degree) < 0.01);
  assert.equal(source.getFeaturesInExtent([0.09 * degree, -1, 0.11 * degree, 1]).length, 1);

  map.move([0, 0], Math.PI / 4);
  await shows("1,5");
  map.move([0, 0], 0, 500);
  await shows("1");
  map.move([20 * degree, 0]);
  await shows("2");
  map.move([180 * degree, 0]);
  await shows("3,4");
  map.move([-540 * degree, 0]);
  await shows("3,4");

  // Another view, in another system.
  map.view = new OpenLayersView({ projection: "EPSG:4326", center: [0, 0], resolution: 0.01 });
  map.move([0, 0], 0, 0.01);
  await shows("1");
  await until(() => Math.abs(source.getFeatureById("1").getGeometry().getCoordinates()[0] - 0.1) < 1e-9);
  wire.cut();
  await put(server, "vehicles", point(6, 0.2, 0));
  await shows("1,6");
  assert.equal((await geocast.session()).crs, "EPSG:4326");

  map.size = [0, 0];
  map.move([0, 0], 0, 0.01);
  await shows("");
  map.size = [100, 100];
  map.move([0, 0], 0, 0.01);
  await shows("1,6");

  stop();
  assert.ok(tracked.isClosed);
  assert.equal(map.listeners.size, 0);
  assert.equal(ids(source), "1,6");
  assert.deepEqual(geocast.errors, []);
});

/** A map of which only the bounds are there: what MapLibre says of a map that is turned is the box around it. */
class MapLibreMap {
  listeners = new Set();
  box = [0, 0, 10, 10];
  getBounds = () => ({
    getWest: () => this.box[0],
    getSouth: () => this.box[1],
    getEast: () => this.box[2],
    getNorth: () => this.box[3],
  });
  getZoom = () => 5;
  on = (_name, listener) => this.listeners.add(listener);
  off = (_name, listener) => this.listeners.delete(listener);
  move(...box) {
    this.box = box;
    for (const listener of this.listeners) listener();
  }
}

test("a source of MapLibre is what the map shows", async (t) => {
  const server = await serve(t);
  const wire = await line(t, server);
  for (const feature of [point(1, 1, 1), point(2, 20, 0), point(3, 179, 0), point("four", -179, 0)]) {
    await put(server, "vehicles", feature);
  }
  const geocast = client(t, wire.url);
  const map = new MapLibreMap();
  const source = new Source();
  const { stop } = followMapLibre(geocast, map, source, "vehicles", { rest: 10, fields: ["line"], minMove: 1 });
  const keys = () => [...source.features.keys()].sort().join();
  const shows = (expected) => until(() => keys() === expected, () => `${keys()}, not ${expected}`);
  await shows("1");
  const { viewport } = await geocast.session();
  assert.deepEqual([viewport.bbox, viewport.zoom, viewport.fields, viewport.min_move], [[0, 0, 10, 10], 6, ["line"], 1]);
  await put(server, "vehicles", point(1, 2, 1));
  await until(() => source.features.get(1).geometry.coordinates[0] === 2);
  map.move(170, -10, 190, 10);
  await shows("3,four");
  map.move(-190, -95, -170, 95);
  await shows("3,four");
  map.move(-400, -10, 400, 10);
  await shows("1,2,3,four");
  map.move(15, -1, 25, 1);
  await shows("2");
  wire.cut();
  await put(server, "vehicles", point(1, 16, 0));
  await put(server, "vehicles", point(2, 0, 0));
  await shows("1");
  stop();
  assert.equal(map.listeners.size, 0);
  await until(async () => (await geocast.session()).channels.length === 0);
  assert.deepEqual(geocast.errors, []);
});

test("an adapter that cannot follow leaves nothing at the map", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url);
  geocast.track("vehicles");
  for (const [follow, map, source] of [
    [followOpenLayers, new OpenLayersMap(), new VectorSource()],
    [followMapLibre, new MapLibreMap(), new Source()],
  ]) {
    assert.throws(() => follow(geocast, map, source, "vehicles"), { message: /subscribed to already/ });
    assert.equal(map.listeners.size, 0);
  }
});
