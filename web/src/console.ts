import type OpenLayersMap from "ol/Map.js";
import { transform } from "ol/proj.js";
import type { Live } from "./live/live.js";
import { shownIn, viewOf, type Place } from "./map/map.js";
import type { Second } from "./map/second.js";

/** What the browser's console, and the page's tests, can look at: `geocast.live.client.session()`. */
export function showOnConsole(map: OpenLayersMap, live: Live, second: () => Second | undefined): void {
  const geocast = {
    map,
    live,
    get second() {
      return second();
    },
    /** Has the map look somewhere else. */
    look: (place: Place) => map.setView(viewOf(shownIn(map), place)),
    /** Where longitude and latitude are on the screen. */
    pixelOf: (place: [number, number]) => {
      const [x = 0, y = 0] = map.getPixelFromCoordinate(transform(place, "EPSG:4326", shownIn(map).code)) ?? [];
      const box = map.getViewport().getBoundingClientRect();
      return [x + box.x, y + box.y];
    },
  };
  Object.assign(globalThis, { geocast });
}
