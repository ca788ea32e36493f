import type { Feature } from "geocast-client";
import type OpenLayersMap from "ol/Map.js";
import type { Live } from "../live/live.js";
import { byId, make } from "./element.js";

/** What the server says of one feature: the one that was clicked at. */
export function bindFeature(map: OpenLayersMap, live: Live, crs: () => string): { show: () => void } {
  const [details, body] = [byId<HTMLDetailsElement>("feature"), byId("feature-body")];
  let key: string | undefined;
  const show = () => {
    if (key === undefined) return;
    const feature = live.told(key);
    body.replaceChildren(feature ? sheet(key, feature, crs()) : make("p", { class: "note" }, `${key} is not in view any more.`));
  };
  map.on("click", ({ coordinate }) => {
    key = live.keyAt(coordinate, REACH * (map.getView().getResolution() ?? 0));
    live.select(key);
    details.hidden = key === undefined;
    details.open = key !== undefined;
    show();
  });
  return { show };
}

/** Pixels that a finger may be off. */
const REACH = 14;

function sheet(key: string, { geometry, properties }: Feature, crs: string): HTMLElement {
  const row = (name: string, value: string, kind = "") => [make("dt", {}, name), make("dd", { class: kind }, value)];
  const list = make("dl", { class: "sheet" }, ...row("key", key, "number"));
  const coordinates: unknown = geometry && "coordinates" in geometry ? geometry.coordinates : undefined;
  if (geometry) list.append(...row("geometry", geometry.type));
  if (coordinates) {
    const text = JSON.stringify(coordinates);
    list.append(...row(crs, text.length > 120 ? `${text.slice(0, 120)}…` : text.replaceAll(",", ", "), "number coordinates"));
  }
  for (const [name, value] of Object.entries(properties ?? {}).slice(0, 24)) {
    list.append(...row(name, typeof value === "string" ? value : JSON.stringify(value), typeof value === "number" ? "number" : ""));
  }
  return list;
}
