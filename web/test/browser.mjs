// A Chromium without a window, and pages in it that are held to saying nothing wrong.
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { until } from "../../clients/js/test/server.mjs";

const NAMES = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"].filter(Boolean);

/** The first Chromium that is on the path. */
function executable() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = NAMES.flatMap((name) => (name.includes("/") ? [name] : folders.map((folder) => join(folder, name))));
  const found = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(found, `these tests need one of ${NAMES.join(", ")}: \`make setup-test\` installs it`);
  return found;
}

/** What Chromium says itself of a server that is gone, whatever of it the page was still loading. */
export const UNREACHED = /Failed to load resource: net::ERR_(CONNECTION_(REFUSED|RESET)|EMPTY_RESPONSE)|WebSocket connection to .* failed/;

/** What is to be done with the pages of a test before its servers end, of which they would complain. */
const endings = new WeakMap();

/** A test that ends, as what is asked of a page has no bound of its own; then its pages must have said nothing wrong. */
export function bounded(name, body) {
  test(name, { timeout: 240_000 }, async (t) => {
    endings.set(t, []);
    await body(t);
    for (const end of endings.get(t)) await end();
  });
}

let browser;

/** One for all tests of a file. It may run as root and without /dev/shm, as in containers. */
async function launched() {
  browser ??= chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  return browser;
}

after(async () => (await browser)?.close());

/**
 * A page of a server. What it says on its console as a warning or an error, what it throws, and what it wants from another
 * server fails the test, which has to be `bounded`; `expected` are patterns of what it may say, and `elsewhere` has answers of its
 * own to what is asked of others.
 */
export async function open(test, server, { hash = "", path = "/", expected = [], elsewhere, prepare = async () => {}, ...options } = {}) {
  const context = await (await launched()).newContext({ viewport: { width: 1200, height: 800 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const wrong = [];
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !expected.some((pattern) => pattern.test(text))) wrong.push(text);
  });
  page.on("pageerror", (error) => wrong.push(String(error.stack)));
  const isForeign = ({ protocol, host }) => /^https?:$/.test(protocol) && host !== new URL(server.http).host;
  page.on("request", (request) => {
    if (isForeign(new URL(request.url())) && !elsewhere?.(request.url())) wrong.push(`asks ${request.url()}`);
  });
  if (elsewhere) {
    await context.route(isForeign, (route) => {
      const answer = elsewhere(route.request().url());
      return answer ? route.fulfill({ headers: { "access-control-allow-origin": "*" }, ...answer }) : route.abort();
    });
  }
  endings.get(test).push(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  test.after(() => context.close());
  await prepare(page);
  await page.goto(server.http + path + hash);
  return page;
}

/** The page, once its map has told the server where it looks, and the server has said that it does. */
export async function openMap(test, server, options) {
  const page = await open(test, server, options);
  await said(page, "#connection", /^live$/);
  return page;
}

/** Waits until an element says something. */
export async function said(page, selector, pattern) {
  let text;
  await until(
    async () => pattern.test((text = (await page.textContent(selector))?.trim() ?? "")),
    () => `${selector} says ${text}, and not ${pattern}`,
  );
  return text;
}

/**
 * What is on the map: of each key its coordinates, as the server wrote them, and where on the screen it is drawn. Of keys with a
 * place (longitude and latitude), also where at the same moment that is on the land.
 */
export function shown(page, places = {}) {
  return page.evaluate((places) => {
    const { live, map } = globalThis.geocast;
    const box = map.getViewport().getBoundingClientRect();
    return Object.fromEntries(
      [...live.things].map(([key, thing]) => {
        const at = thing.shown?.getCoordinates() ?? [];
        const [x, y] = map.getPixelFromCoordinate(at) ?? [];
        const land = places[key] && globalThis.geocast.pixelOf(places[key]);
        return [key, { told: live.told(key)?.geometry.coordinates, at, screen: [x + box.x, y + box.y], land }];
      }),
    );
  }, places);
}

/** Waits until exactly these are on the map. */
export async function shows(page, keys) {
  let there;
  await until(
    async () => {
      there = Object.keys(await shown(page)).sort();
      return there.join() === [...keys].sort().join();
    },
    () => `there are ${there} on the map, and not ${keys}`,
  );
}
