import type { Client } from "./client.js";
import type { Diffs } from "./diffs.js";
import { debounced, type FollowOptions } from "./follow.js";

/** What is needed of a map of MapLibre. */
export interface FollowedMap {
  getBounds(): { getWest(): number; getSouth(): number; getEast(): number; getNorth(): number };
  getZoom(): number;
  on(name: "moveend", listener: () => void): unknown;
  off(name: "moveend", listener: () => void): unknown;
}

/** What is needed of a GeoJSON source of MapLibre. Its own type knows no features without geometry. */
export interface FollowedSource {
  updateData(diff: any): unknown;
}

/**
 * Keeps a GeoJSON source of MapLibre as what a map shows of a channel. The source begins with an empty FeatureCollection;
 * where the key of a feature is a property, it has `promoteId`. A map that is turned or tilted is told as the box around
 * what it shows; one across the antimeridian as it is. `stop()` ends it; the features stay.
 */
export function follow(
  client: Client,
  map: FollowedMap,
  source: FollowedSource,
  channel: string,
  { rest, ...wishes }: FollowOptions = {},
): { diffs: Diffs; stop: () => void } {
  const look = () => {
    const bounds = map.getBounds();
    const [south, north] = [Math.max(-90, bounds.getSouth()), Math.min(90, bounds.getNorth())];
    // Levels are those of a world of 256 pixels, and MapLibre's of one of 512.
    const zoom = Math.min(30, map.getZoom() + 1);
    void client.viewport({ ...wishes, bbox: [bounds.getWest(), south, bounds.getEast(), north], crs: "EPSG:4326", zoom });
  };
  const { ask, stop } = debounced(look, rest);
  const diffs = client.diffs(channel);
  map.on("moveend", ask);
  diffs.on("diff", (diff) => source.updateData(diff));
  return {
    diffs,
    stop() {
      stop();
      map.off("moveend", ask);
      diffs.close();
    },
  };
}
