// What pages of the book and of the client's README want of other hosts, from what is installed here.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const packages = new URL("../../clients/js/node_modules/", import.meta.url);

/** A style without tiles, fonts and pictures. */
const EMPTY_STYLE = { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#eef" } }] };
/** A picture of one pixel. */
const TILE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mO4CwAA3wDehPEKOwAAAABJRU5ErkJggg==", "base64");

/** The answer to a request, or nothing where there is none here. */
export function elsewhere(address) {
  const [, name, major, path] = /^https:\/\/(?:unpkg\.com|cdn\.jsdelivr\.net\/npm)\/([\w-]+)@(\d+)\/([\w./-]+)$/.exec(address) ?? [];
  if (name) {
    const { version } = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), "utf8"));
    assert.equal(version.split(".")[0], major, `${address} is not what is installed here`);
    const file = fileURLToPath(new URL(`${name}/${path}`, packages));
    return existsSync(file) ? { path: file } : undefined;
  }
  if (address === "https://demotiles.maplibre.org/style.json") return { json: EMPTY_STYLE };
  if (/^https:\/\/tile\.openstreetmap\.org\/\d+\/\d+\/\d+\.png$/.test(address)) return { contentType: "image/png", body: TILE };
  return undefined;
}
