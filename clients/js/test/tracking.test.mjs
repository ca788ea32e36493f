import assert from "node:assert/strict";
import { test } from "node:test";
import { client } from "./client.mjs";
import { next, point, put, remove, serve, until } from "./server.mjs";

/** What a tracked channel tells, one line for each change. */
function told(tracked) {
  const lines = [];
  tracked.on("changes", ({ entered, updated, left }) => {
    for (const { key, reason } of left) lines.push(`leave ${key} ${reason}`);
    for (const { key, feature } of entered) lines.push(`enter ${key} ${feature.geometry?.coordinates}`);
    for (const { key, feature, before } of updated) {
      lines.push(`update ${key} ${before.geometry?.coordinates} ${feature.geometry?.coordinates}`);
    }
  });
  return lines;
}

test("what enters, changes and leaves is told, and the map is in step", async (t) => {
  const server = await serve(t);
  await put(server, "vehicles", point(7, 5, 5));
  await put(server, "vehicles", point(8, 50, 5));
  const geocast = client(t, server.url);
  void geocast.viewport({ bbox: [0, 0, 10, 10] });
  const vehicles = geocast.track("vehicles", { interval: 0 });
  const lines = told(vehicles);
  const single = [];
  for (const name of ["enter", "update", "leave"]) vehicles.on(name, ({ key }) => single.push(`${name} ${key}`));
  const happened = (count) => until(() => lines.length === count, () => `${count} of ${lines}`);
  await happened(1);
  assert.deepEqual(vehicles.features.get("7"), point(7, 5, 5));
  await put(server, "vehicles", point(7, 6, 5));
  await happened(2);
  await put(server, "vehicles", point(8, 1, 1));
  await happened(3);
  await put(server, "vehicles", point(7, 60, 5));
  await happened(4);
  await remove(server, "vehicles", "8");
  await happened(5);
  assert.equal(vehicles.features.size, 0);
  await geocast.viewport({ bbox: [55, 0, 65, 10] });
  await happened(6);
  await geocast.projection("EPSG:3857");
  await happened(7);
  await geocast.viewport({ bbox: [0, 0, 1, 1], crs: "EPSG:4326" });
  await happened(8);
  assert.deepEqual(lines, [
    "enter 7 5,5",
    "update 7 5,5 6,5",
    "enter 8 1,1",
    "leave 7 moved",
    "leave 8 deleted",
    "enter 7 60,5",
    "update 7 60,5 6679169.448,557305.257",
    "leave 7 viewport",
  ]);
  assert.deepEqual(single, lines.map((line) => line.split(" ").slice(0, 2).join(" ")));
});

test("changes are collected: of each key what has come of it", async (t) => {
  const server = await serve(t);
  const geocast = client(t, server.url);
  const vehicles = geocast.track("vehicles", { interval: 3000 });
  await vehicles.ready;
  const lines = told(vehicles);
  const batches = [];
  vehicles.on("changes", (changes) => batches.push(changes));
  for (let x = 0; x < 5; x++) await put(server, "vehicles", point("a", x, 0));
  await put(server, "vehicles", point("b", 0, 0));
  await remove(server, "vehicles", "b");
  // On a machine that is slow, the last ones come with the next batch, and say as much.
  await until(() => vehicles.features.get("a")?.geometry.coordinates[0] === 4 && !vehicles.features.has("b"));
  assert.ok(lines.length <= 4, `${lines}`);
  if (batches.length === 1) assert.deepEqual(lines, ["enter a 4,0"]);
});

test("properties, fields and small steps", async (t) => {
  const server = await serve(t);
  await put(server, "vehicles", point(1, 5, 5, { type: "rail", delay: 0 }));
  await put(server, "vehicles", point(2, 5, 5, { type: "tram", delay: 0 }));
  const geocast = client(t, server.url);
  const look = { bbox: [0, 0, 10, 10], properties: { type: "rail" }, fields: ["delay"], zoom: 8, minMove: 4 };
  await geocast.viewport(look);
  const vehicles = geocast.track("vehicles", { interval: 0 });
  await next(vehicles, "enter");
  assert.deepEqual([...vehicles.features.values()], [point(1, 5, 5, { delay: 0 })]);
  const lines = told(vehicles);
  const left = next(vehicles, "leave");
  await put(server, "vehicles", point(1, 5.0001, 5, { type: "rail", delay: 0 }));
  await put(server, "vehicles", point(1, 6, 5, { type: "rail", delay: 0 }));
  await put(server, "vehicles", point(1, 6, 5, { type: "bus", delay: 0 }));
  await left;
  assert.deepEqual(lines.at(-1), "leave 1 filtered");
  assert.ok(!lines.some((line) => line.includes("5.0001")), `${lines}`);
  assert.equal((await geocast.session()).accounts.vehicles.withheld.still, 1);
});

test("2 000 moving features are at every moment what the viewport shows, wherever it goes", async (t) => {
  const server = await serve(t);
  const random = seeded(17);
  const place = () => [random() * 360 - 180, random() * 170 - 85];
  const world = new Map();
  const publisher = client(t, server.url);
  const move = async (i) => {
    const feature = point(i, ...place(), { step: Math.floor(random() * 1e6) });
    world.set(String(i), feature);
    await put(server, "vehicles", feature);
  };
  for (let i = 0; i < 2000; i += 20) await Promise.all(Array.from({ length: 20 }, (_, j) => move(i + j)));

  const geocast = client(t, server.url);
  const vehicles = geocast.track("vehicles");
  const mirrored = new Map();
  vehicles.on("enter", ({ key, feature }) => {
    assert.ok(!mirrored.has(key), `${key} enters twice`);
    mirrored.set(key, feature);
  });
  vehicles.on("update", ({ key, feature }) => {
    assert.ok(mirrored.has(key), `${key} changes, and is not there`);
    mirrored.set(key, feature);
  });
  vehicles.on("leave", ({ key }) => assert.ok(mirrored.delete(key), `${key} leaves, and is not there`));

  const sizes = [];
  for (let round = 0; round < 25; round++) {
    const [x, y] = place();
    const width = 2 + random() * (round % 5 === 0 ? 358 : 80);
    const bbox = [x, Math.max(-90, y - 30 * random()), x + width, Math.min(90, y + 30 * random())];
    // Some are not waited for: the next one takes their place.
    const looked = geocast.viewport({ bbox });
    const first = Math.floor(random() * 100);
    await Promise.all(Array.from({ length: 20 }, (_, i) => move(first + 100 * i)));
    if (round % 3 === 1) continue;
    await looked;
    const { values } = await geocast.get("vehicles");
    const expected = new Map(values.map((feature) => [String(feature.id), feature]));
    await until(
      () => same(vehicles.features, expected),
      () => `round ${round}, ${bbox}: ${vehicles.features.size} of ${expected.size}`,
    );
    assert.ok(same(mirrored, expected), "events and map differ");
    // Not only what the server says of itself: a longitude is in the box if a turn of it is.
    const inside = ([a, b]) => b >= bbox[1] && b <= bbox[3] && [a - 360, a, a + 360].some((c) => c >= bbox[0] && c <= bbox[2]);
    const shown = [...world].filter(([, feature]) => inside(feature.geometry.coordinates));
    assert.ok(same(new Map(shown), expected), `${shown.length} are in ${bbox}, and ${expected.size} are told`);
    sizes.push(expected.size);
  }
  assert.ok(Math.max(...sizes) > 300 && sizes.filter((size) => size > 0).length > 10, `${sizes}`);
  assert.deepEqual([publisher.errors, geocast.errors], [[], []]);
});

test("a channel with more features than wanted is given up, and said so", async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 12; i++) await put(server, "vehicles", point(i, 0, 0));
  const geocast = client(t, server.url);
  const vehicles = geocast.track("vehicles", { most: 10 });
  const error = await next(geocast, "error");
  assert.equal(error.code, "too_many_features");
  assert.ok(vehicles.isClosed && vehicles.features.size <= 10);
  await until(async () => (await geocast.session()).channels.length === 0);
  // As many as allowed may come and go as often as they like.
  await geocast.viewport({ bbox: [-1, -1, 1, 1], fields: [] });
  for (const id of [10, 11]) await remove(server, "vehicles", id);
  const again = geocast.track("vehicles", { most: 10, interval: 0 });
  await until(() => again.features.size === 10);
  for (let i = 0; i < 10; i++) await put(server, "vehicles", point(i, 5, 0));
  for (let i = 0; i < 10; i++) await put(server, "vehicles", point(i, 0, 0));
  await until(() => again.features.size === 10 && [...again.features.values()].every((f) => f.geometry.coordinates[0] === 0));
  assert.ok(!again.isClosed);
});

test("what is tracked anew on the same connection is told everything", async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 50; i++) await put(server, "vehicles", point(i, i, 0));
  const geocast = client(t, server.url);
  for (let round = 0; round < 20; round++) {
    const vehicles = geocast.track("vehicles", { interval: 0 });
    if (round % 2) await until(() => vehicles.features.size === 50);
    vehicles.close();
  }
  const diffs = geocast.diffs("vehicles");
  let added = 0;
  diffs.on("diff", ({ add, removeAll }) => {
    assert.ok(!removeAll);
    added += add.length;
  });
  await until(() => added === 50);
});

function same(one, other) {
  if (one.size !== other.size) return false;
  for (const [key, feature] of one) if (JSON.stringify(feature) !== JSON.stringify(other.get(key))) return false;
  return true;
}

/** The same numbers in each run (mulberry32). */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
