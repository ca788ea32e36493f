import type { Viewport } from "./viewport.js";

/** What is asked for of a map's features, besides where it looks. */
export interface FollowOptions extends Omit<Viewport, "bbox" | "crs" | "zoom"> {
  /** How long a map has to rest before the server is told where it looks, in milliseconds; 100 if left out. */
  rest?: number;
}

/** Calls `look` now, and whenever it has not been asked to for a while. */
export function debounced(look: () => void, milliseconds = 100): { ask: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  const ask = () => {
    stop();
    timer = setTimeout(look, milliseconds);
  };
  look();
  return { ask, stop };
}
