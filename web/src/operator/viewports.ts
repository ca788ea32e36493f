import type { Coordinate } from "ol/coordinate.js";
import Feature from "ol/Feature.js";
import { createEmpty, extend, isEmpty, type Extent } from "ol/extent.js";
import Polygon, { fromExtent } from "ol/geom/Polygon.js";
import VectorLayer from "ol/layer/Vector.js";
import type OpenLayersMap from "ol/Map.js";
import { transformExtent } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { Fill, Stroke, Style } from "ol/style.js";
import { onTheme } from "../theme.js";
import { healthOf, type Connection, type Health } from "./report.js";

/** Where clients look, as rectangles on a map. */
export class Viewports {
  readonly #map: OpenLayersMap;
  readonly #source = new VectorSource<Feature<Polygon>>();
  /** The rectangles of each client, with what they were made of. */
  readonly #drawn = new Map<number, { key: string; features: Feature<Polygon>[] }>();
  #styles = styles();
  #chosen: number | undefined;

  constructor(map: OpenLayersMap, chosen: (id: number) => void) {
    this.#map = map;
    const layer = new VectorLayer({ source: this.#source, style: (feature) => this.#style(feature as Feature<Polygon>) });
    map.addLayer(layer);
    onTheme(() => {
      this.#styles = styles();
      layer.changed();
    });
    map.on("singleclick", ({ coordinate }) => {
      // The smallest: the others can be met beside it.
      const [smallest] = this.at(coordinate);
      if (smallest !== undefined) chosen(smallest);
    });
    map.on("pointermove", ({ coordinate, dragging }) => {
      if (!dragging) map.getTargetElement().style.cursor = this.at(coordinate).length > 0 ? "pointer" : "";
    });
  }

  /** Who looks at a place of the map, those with the smallest rectangles first. */
  at(coordinate: Coordinate): number[] {
    const area = (feature: Feature<Polygon>) => feature.getGeometry()?.getArea() ?? 0;
    const found = this.#source.getFeaturesAtCoordinate(coordinate).sort((one, other) => area(one) - area(other));
    return found.map((feature) => feature.get("client") as number);
  }

  /** How many clients look somewhere. */
  get size(): number {
    return this.#drawn.size;
  }

  show(connections: readonly Connection[]): void {
    const ids = new Set<number>();
    for (const connection of connections) {
      const { id, viewport } = connection;
      if (!viewport || viewport.boxes.length === 0) continue;
      ids.add(id);
      const key = [healthOf(connection), ...viewport.boxes.flat()].join();
      const before = this.#drawn.get(id);
      if (before?.key === key) continue;
      this.#source.removeFeatures(before?.features ?? []);
      const features = viewport.boxes.map((box) => {
        const feature = new Feature(fromExtent(toMap(box)));
        feature.setProperties({ client: id, health: healthOf(connection) }, true);
        return feature;
      });
      this.#source.addFeatures(features);
      this.#drawn.set(id, { key, features });
    }
    for (const [id, { features }] of this.#drawn) {
      if (ids.has(id)) continue;
      this.#source.removeFeatures(features);
      this.#drawn.delete(id);
    }
  }

  /** Marks those of a client. */
  choose(id: number | undefined): void {
    const both = [this.#chosen, id].flatMap((id) => (id === undefined ? [] : (this.#drawn.get(id)?.features ?? [])));
    this.#chosen = id;
    both.forEach((feature) => feature.changed());
  }

  /** Looks at those of a client, or at all. */
  look(id: number | undefined, still: boolean): void {
    const drawn = id === undefined ? [...this.#drawn.values()] : [this.#drawn.get(id)];
    const features = drawn.flatMap((drawn) => drawn?.features ?? []);
    const whole = features.reduce<Extent>((whole, feature) => extend(whole, feature.getGeometry()?.getExtent() ?? createEmpty()), createEmpty());
    if (isEmpty(whole)) return;
    const padding = id === undefined ? [40, 60, 40, 60] : [90, 120, 90, 120];
    this.#map.getView().fit(whole, { padding, duration: still ? 0 : 250, minResolution: 2 });
  }

  #style(feature: Feature<Polygon>): Style {
    const health = feature.get("health") as Health;
    return this.#styles[feature.get("client") === this.#chosen ? "chosen" : health];
  }
}

/** A box in degrees on the map: its system has no poles. */
function toMap([west, south, east, north]: [number, number, number, number]): Extent {
  return transformExtent([west, Math.max(south, -POLE), east, Math.min(north, POLE)], "EPSG:4326", "EPSG:3857");
}

function styles(): Record<Health | "chosen", Style> {
  const read = getComputedStyle(document.documentElement);
  const colour = (name: string) => read.getPropertyValue(`--${name}`).trim();
  const style = (name: string, width: number, filled: string, zIndex: number) =>
    new Style({ stroke: new Stroke({ color: colour(name), width }), fill: new Fill({ color: colour(name) + filled }), zIndex });
  return { well: style("accent", 1.25, "14", 1), behind: style("warn", 1.5, "1c", 2), slow: style("bad", 1.75, "24", 3), chosen: style("ink", 2.5, "2a", 4) };
}

/** The northern edge of Web Mercator, in degrees. */
const POLE = 85.05;
