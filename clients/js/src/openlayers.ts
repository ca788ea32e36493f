import type OpenLayersFeature from "ol/Feature.js";
import GeoJSON from "ol/format/GeoJSON.js";
import type OpenLayersMap from "ol/Map.js";
import type VectorSource from "ol/source/Vector.js";
import type { Client } from "./client.js";
import { debounced, type FollowOptions } from "./follow.js";
import type { Enter, Tracked } from "./tracked.js";
import type { Box } from "./viewport.js";

/**
 * Keeps a source of OpenLayers as what a map shows of a channel, in the view's own projection, which has to be one of
 * EPSG. A rotated view is told as the box around it; one across the antimeridian as it is. `stop()` ends it; the features stay.
 */
export function follow(
  client: Client, map: OpenLayersMap, source: VectorSource, channel: string, { rest, ...wishes }: FollowOptions = {},
): { tracked: Tracked; stop: () => void } {
  let crs: string | undefined;
  const look = () => {
    const [view, size] = [map.getView(), map.getSize()];
    const [projection, resolution] = [view.getProjection(), view.getResolution()];
    // A map that is not there to see looks at a point, and not at everything.
    if (!size?.every((side) => side > 0) || !resolution) return void client.viewport({ ...wishes, ...NOWHERE });
    if (crs !== projection.getCode()) void client.projection((crs = projection.getCode()));
    const zoom = Math.log2(PIXEL / (resolution * (projection.getMetersPerUnit() ?? 1)));
    void client.viewport({ ...wishes, bbox: view.calculateExtent(size) as Box, crs, zoom: Math.min(30, Math.max(-2, zoom)) });
  };
  const { ask, stop } = debounced(look, rest);
  const format = new GeoJSON();
  const tracked = client.track(channel);
  map.on("moveend", ask);
  tracked.on("changes", ({ entered, updated, left }) => {
    source.removeFeatures(left.flatMap(({ key }) => source.getFeatureById(key) ?? []));
    const read = ({ feature }: Enter) => format.readFeature(feature) as OpenLayersFeature;
    for (const change of updated) {
      const shown = source.getFeatureById(change.key) as OpenLayersFeature | null;
      const now = read(change).getProperties();
      for (const name of shown?.getKeys() ?? []) if (!(name in now)) shown?.unset(name, true);
      shown?.setProperties(now);
    }
    const added = entered.map((change) => ({ key: change.key, feature: read(change) }));
    for (const { key, feature } of added) feature.setId(key);
    source.addFeatures(added.map(({ feature }) => feature));
  });
  return { tracked, stop: () => (stop(), map.un("moveend", ask), tracked.close()) };
}

const NOWHERE = { bbox: [0, -90, 0, -90] as Box, crs: "EPSG:4326", zoom: 0 };

/** A pixel at zoom level 0, in metres of Web Mercator. */
const PIXEL = (2 * Math.PI * 6378137) / 256;
