import Feature from "ol/Feature.js";
import Polygon from "ol/geom/Polygon.js";
import { getCenter } from "ol/extent.js";
import Translate from "ol/interaction/Translate.js";
import VectorLayer from "ol/layer/Vector.js";
import type OpenLayersMap from "ol/Map.js";
import { transform } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { Fill, Stroke, Style } from "ol/style.js";
import Collection from "ol/Collection.js";
import { Live, type LiveOptions } from "../live/live.js";
import { SYSTEMS, systemOf } from "../systems.js";
import { colours, onTheme } from "../theme.js";
import { makeMap, placeOf, project, shownIn, viewOf, type Place } from "./map.js";

/** A second viewport with a connection of its own: a small map, and where it looks as a frame in the first one. */
export class Second {
  readonly live: Live;
  readonly #first: OpenLayersMap;
  readonly map: OpenLayersMap;
  /** Where it looks, in the first map. */
  readonly frame = new Feature<Polygon>();
  readonly #layer: VectorLayer;
  readonly #translate: Translate;

  constructor(first: OpenLayersMap, target: HTMLElement, systems: HTMLSelectElement, options: LiveOptions) {
    const other = SYSTEMS[shownIn(first).code === "EPSG:2056" ? 0 : 1]!;
    this.#first = first;
    this.map = makeMap(target, other, near(first), { named: false });
    this.live = new Live(this.map, options);
    this.#layer = new VectorLayer({ source: new VectorSource({ features: [this.frame] }), style: frameStyle });
    this.#layer.setZIndex(10);
    first.addLayer(this.#layer);
    this.map.on("moveend", () => this.#draw());
    first.on("change:view", this.#draw);
    onTheme(() => this.#layer.changed());
    systems.replaceChildren(...SYSTEMS.map(({ code, name }) => new Option(`${name} · ${code}`, code)));
    systems.value = other.code;
    systems.onchange = () => project(this.map, systemOf(systems.value));
    // Of other layers, which may have thousands of features, it is not asked what lies below the pointer.
    this.#translate = new Translate({ features: new Collection([this.frame]), layers: [this.#layer], hitTolerance: 6 });
    this.#translate.on("translateend", () => this.#moved());
    first.addInteraction(this.#translate);
  }

  /** Looks at a part of what the first map shows. */
  look(): void {
    this.map.setView(viewOf(shownIn(this.map), near(this.#first)));
  }

  redraw(): void {
    this.live.redraw();
  }

  close(): void {
    this.live.close();
    this.#first.un("change:view", this.#draw);
    this.#first.removeInteraction(this.#translate);
    this.#first.removeLayer(this.#layer);
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  /** The edge of the second map, which is bent in the first where their systems differ. */
  readonly #draw = (): void => {
    const size = this.map.getSize();
    const view = this.map.getView();
    if (!size || !view.getCenter()) return;
    const [left, bottom, right, top] = view.calculateExtent(size) as [number, number, number, number];
    const [from, to] = [shownIn(this.map).code, shownIn(this.#first).code];
    const corners: [number, number][] = [[left, bottom], [right, bottom], [right, top], [left, top]];
    const edge = corners.flatMap(([x, y], i) => {
      const [nextX, nextY] = corners[(i + 1) % 4]!;
      return Array.from({ length: PIECES }, (_, piece) => {
        const part = piece / PIECES;
        return transform([x + (nextX - x) * part, y + (nextY - y) * part], from, to);
      });
    });
    // What is not in the first system at all has no edge in it.
    const finite = edge.every((place) => place.every(Number.isFinite));
    this.frame.setGeometry(finite ? new Polygon([[...edge, edge[0]!]]) : undefined);
  };

  /** The frame was dragged elsewhere: the second map follows. */
  #moved(): void {
    const extent = this.frame.getGeometry()?.getExtent();
    if (!extent) return;
    this.map.getView().setCenter(transform(getCenter(extent), shownIn(this.#first).code, shownIn(this.map).code));
    // The centre may be where the map may not look.
    this.#draw();
  }
}

/** A part of what a map shows, where the second one does not cover it. */
function near(map: OpenLayersMap): Place {
  const [width = 0, height = 0] = map.getSize() ?? [];
  const { resolution } = placeOf(map);
  const [x, y] = map.getView().getCenter() ?? [0, 0];
  const metres = map.getView().getResolution() ?? 1;
  const aside = [(x ?? 0) - 0.16 * width * metres, (y ?? 0) + 0.17 * height * metres];
  return { centre: transform(aside, shownIn(map).code, "EPSG:4326") as [number, number], resolution: resolution * 0.8 };
}

function frameStyle(): Style[] {
  const { accent, halo } = colours();
  return [
    new Style({ stroke: new Stroke({ color: halo, width: 4 }) }),
    new Style({ stroke: new Stroke({ color: accent, width: 1.75 }), fill: new Fill({ color: `${accent}14` }) }),
  ];
}

/** Into so many pieces each side is cut. */
const PIECES = 16;
