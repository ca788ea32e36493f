import { boundingExtent } from "ol/extent.js";
import type OpenLayersMap from "ol/Map.js";
import type { Live } from "../live/live.js";

/** Shows all of what is there; or, no further out than `widest` metres for each pixel, the midst of it. */
export function fit(map: OpenLayersMap, live: Live, { widest = Infinity, still = false, then = () => {} } = {}): boolean {
  const places = [...live.things.values()].flatMap(({ feature }) => {
    const extent = feature.getGeometry()?.getExtent();
    return extent?.every(Number.isFinite) ? [[extent[0]!, extent[1]!], [extent[2]!, extent[3]!]] : [];
  });
  if (places.length === 0) return false;
  const view = map.getView();
  const extent = boundingExtent(places);
  const whole = view.getResolutionForExtent(extent, map.getSize()) * 1.15;
  const resolution = Math.max(5, Math.min(whole, widest));
  const center = resolution < whole ? densest(places, resolution * NEAR) : [(extent[0]! + extent[2]!) / 2, (extent[1]! + extent[3]!) / 2];
  view.cancelAnimations();
  view.animate({ center, resolution, duration: still ? 0 : 600 }, then);
  return true;
}

/** The place that has most of the others within a distance. */
function densest(places: number[][], near: number): number[] {
  const some = places.slice(0, SAMPLE);
  const around = some.map(([x = 0, y = 0]) => some.filter(([ox = 0, oy = 0]) => Math.hypot(ox - x, oy - y) < near).length);
  return some[around.indexOf(Math.max(...around))] ?? [0, 0];
}

/** Pixels around the middle that a map is sure to show. */
const NEAR = 250;
/** Of more places than these, so many are looked at. */
const SAMPLE = 600;
