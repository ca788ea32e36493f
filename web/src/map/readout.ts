import type OpenLayersMap from "ol/Map.js";
import { transform } from "ol/proj.js";
import { make, say } from "../panel/element.js";
import { placeOf, shownIn } from "./map.js";

/** What stands below the map: its scale, and the place under the pointer in the map's system and in degrees. */
export function bindReadout(map: OpenLayersMap, scale: HTMLElement, pointer: HTMLElement): void {
  const degrees = make("span", { class: "degrees" });
  const metres = make("span");
  pointer.replaceChildren(metres, degrees);
  const show = (place: number[]) => {
    const [x, y, latitude, longitude] = written(map, place);
    say(metres, x && y ? `${x}  ${y}` : "");
    say(degrees, latitude && longitude ? `${latitude}  ${longitude}` : "");
  };
  map.on("postrender", () => showScale(map, scale));
  map.on("pointermove", ({ coordinate, dragging }) => {
    if (!dragging) show(coordinate);
  });
  const middle = () => show(map.getView().getCenter() ?? []);
  map.getViewport().addEventListener("pointerleave", middle);
  map.on("moveend", middle);
}

function showScale(map: OpenLayersMap, scale: HTMLElement): void {
  const { resolution } = placeOf(map);
  const metres = round(resolution * WIDTH);
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  if (scale.textContent !== text) scale.textContent = text;
  const width = `${Math.round(metres / resolution)}px`;
  if (scale.style.width !== width) scale.style.width = width;
}

function written(map: OpenLayersMap, place: number[]): string[] {
  const { code } = shownIn(map);
  const [longitude, latitude] = transform(place, code, "EPSG:4326");
  if (longitude === undefined || latitude === undefined || !Number.isFinite(longitude + latitude)) return [];
  const [x, y] = place.map((metres) => Math.round(metres).toLocaleString("en").replaceAll(",", "\u2009"));
  const side = (degrees: number, [positive, negative]: string) => `${Math.abs(degrees).toFixed(3)}°\u2009${degrees < 0 ? negative : positive}`;
  return [x ?? "", y ?? "", side(latitude, "NS"), side((((longitude % 360) + 540) % 360) - 180, "EW")];
}

/** 1, 2 or 5 times a power of ten, at most so much. */
function round(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres));
  return power * ([5, 2, 1].find((first) => first * power <= metres) ?? 1);
}

/** Pixels that the bar has at most. */
const WIDTH = 110;
