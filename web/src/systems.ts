import { register } from "ol/proj/proj4.js";
import { get, type Projection } from "ol/proj.js";
import proj4 from "proj4";

/** A coordinate system that the map can be shown in. Its axes are x, y, in metres. */
export interface System {
  code: string;
  /** Short, for a button. */
  name: string;
  title: string;
  /** Where it is at home, in degrees. */
  centre: [number, number];
  /** How far from there it is of use, in degrees of a great circle; all of the world if it is left out. */
  reach?: number;
  /** What part of its plane can be looked at. */
  extent: [number, number, number, number];
}

/** Half of the way around the world in Web Mercator, in metres. */
export const HALF_WORLD = 20037508.342789244;

export const SYSTEMS: readonly System[] = [
  {
    code: "EPSG:3857",
    name: "Mercator",
    title: "Web Mercator",
    centre: [8.2, 46.8],
    extent: [-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD],
  },
  {
    code: "EPSG:2056",
    name: "LV95",
    title: "Switzerland, CH1903+ / LV95",
    centre: [8.2, 46.8],
    reach: 12,
    extent: [1_600_000, 400_000, 3_600_000, 2_000_000],
  },
  {
    code: "EPSG:3035",
    name: "LAEA",
    title: "Europe, ETRS89 / LAEA: areas are true",
    centre: [10, 52],
    reach: 42,
    extent: [900_000, 300_000, 7_800_000, 6_600_000],
  },
  {
    code: "EPSG:3995",
    name: "Arctic",
    title: "Arctic polar stereographic",
    centre: [0, 90],
    reach: 60,
    extent: [-6_500_000, -6_500_000, 6_500_000, 6_500_000],
  },
  {
    code: "EPSG:3031",
    name: "Antarctic",
    title: "Antarctic polar stereographic",
    centre: [0, -90],
    reach: 60,
    extent: [-6_500_000, -6_500_000, 6_500_000, 6_500_000],
  },
];

/** Tells OpenLayers of all of them. The server has its own: PROJ's. */
export function registerSystems(): void {
  const swiss = "+lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=2600000 +y_0=1200000";
  proj4.defs("EPSG:2056", `+proj=somerc ${swiss} +ellps=bessel +towgs84=674.374,15.056,405.346,0,0,0,0 +units=m +no_defs`);
  proj4.defs("EPSG:3035", "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m +no_defs");
  proj4.defs("EPSG:3995", "+proj=stere +lat_0=90 +lat_ts=71 +lon_0=0 +datum=WGS84 +units=m +no_defs");
  proj4.defs("EPSG:3031", "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +datum=WGS84 +units=m +no_defs");
  register(proj4);
  for (const { code, extent } of SYSTEMS) projectionOf(code).setExtent(extent);
}

export function systemOf(code: string | null): System {
  return SYSTEMS.find((system) => system.code === code) ?? SYSTEMS[0]!;
}

export function projectionOf(code: string): Projection {
  const projection = get(code);
  if (!projection) throw new Error(`${code} is not registered`);
  return projection;
}
