// The operator's page, and what stands on it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "../../clients/js/test/server.mjs";
import { open, said } from "./browser.mjs";
import { mercator } from "./maps.mjs";

/** What Chromium says itself of a refusal. */
export const REFUSED = /Failed to load resource: the server responded with a status of 40[14]/;

/** A server whose operator has the token `sesame`. */
export function operated(t, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), "geocast-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "token"), "sesame\n");
  return serve(t, { ...options, arguments: ["--operator-token-file", join(folder, "token"), ...(options.arguments ?? [])] });
}

/** The operator's page, once it shows something. */
export async function openOperator(t, server, options = {}) {
  const page = await open(t, server, { path: "/operator", hash: "#token=sesame", ...options });
  await said(page, "#state-text", /^live$/);
  return page;
}

/** The text of each cell of a client's row. */
export async function row(page, place = 0) {
  const cells = page.locator("#connection-rows tr").nth(place).locator("th, td");
  return (await cells.allTextContents()).map((text) => text.trim());
}

/** What is drawn at a place on the map: the clients whose viewports have it. */
export function drawnAt(page, longitude, latitude) {
  return page.evaluate((place) => {
    const { map, viewports } = globalThis.geocastOperator;
    return { clients: viewports.at(place), pixel: map.getPixelFromCoordinate(place) };
  }, mercator(longitude, latitude));
}

/** How far the colour that is drawn at a place (or beside it, where that is a thin line) is from one of the theme, of 255. */
export function apart(page, longitude, latitude, name) {
  return page.evaluate(([place, name]) => {
    const { map } = globalThis.geocastOperator;
    const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    pixel.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    pixel.fillRect(0, 0, 1, 1);
    const wanted = pixel.getImageData(0, 0, 1, 1).data;
    const [x, y] = map.getPixelFromCoordinate(place) ?? [-100, -100];
    // Rectangles have a canvas of their own, above the land.
    const canvas = map.getViewport().querySelector("canvas:not(.ground)");
    const distances = [-2, -1, 0, 1, 2].map((aside) => {
      pixel.clearRect(0, 0, 1, 1);
      pixel.drawImage(canvas, -Math.round(x + aside), -Math.round(y));
      const drawn = pixel.getImageData(0, 0, 1, 1).data;
      return drawn[3] < 200 ? 255 : Math.max(...[0, 1, 2].map((part) => Math.abs(drawn[part] - wanted[part])));
    });
    return Math.min(...distances);
  }, [mercator(longitude, latitude), name]);
}
