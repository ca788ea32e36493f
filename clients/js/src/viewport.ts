/** What a property has to be: this, one of these, or a number in a closed range. */
export type PropertyFilter =
  | string
  | number
  | boolean
  | null
  | (string | number | boolean | null)[]
  | { min?: number | null; max?: number | null };

/** A coordinate system of the EPSG database, such as `EPSG:3857`. Axes are x, y in all of them: longitude first. */
export type Crs = string;

/** `[left, bottom, right, top]`, in the units of its coordinate system. */
export type Box = [number, number, number, number];

/** What is looked at: only that is sent (docs/protocol.md, viewport). What is left out is not limited. */
export interface Viewport {
  /** In degrees and metres of EPSG:3857 it may go around the world: `[170, -20, 190, -10]` crosses the antimeridian. */
  bbox?: Box;
  /** The system of the box. The client's projection if it is left out. */
  crs?: Crs;
  /** The map's zoom level, of a world that is 256 pixels wide at zero (MapLibre's own and one). For `tolerance` and `minMove`. */
  zoom?: number;
  /** What features' properties have to be. */
  properties?: { [name: string]: PropertyFilter };
  /** Of a FeatureCollection that is partly inside: all of it, or the features that are inside. */
  members?: "whole" | "inside";
  /** The only properties that are sent. */
  fields?: string[];
  /** How many decimals coordinates have at most, 0 to 15. */
  precision?: number;
  /** How far lines may be from where they are, in pixels at `zoom`. */
  tolerance?: number;
  /** How far something has to move to be told, in pixels at `zoom`. */
  minMove?: number;
}

/** How a viewport is written on the wire. The system stands beside the box, so that it stays where it is. */
export function viewportParams(viewport: Viewport, projection: Crs): object {
  const { minMove, ...params } = viewport;
  const crs = viewport.bbox ? { crs: viewport.crs ?? projection } : {};
  return { ...params, ...crs, ...(minMove === undefined ? {} : { min_move: minMove }) };
}
