import { geoArea, geoCentroid, geoDistance, geoGraticule, geoPath, geoProjection, geoRotation } from "d3-geo";
import type { GeoProjection } from "d3-geo";
import type { Feature, MultiPolygon, Polygon } from "geojson";
import { transform } from "ol/proj.js";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-50m.json?url";
import { HALF_WORLD, type System } from "../systems.js";

/** The world in one coordinate system. In paths, y grows downwards, as on the screen. */
export interface Shapes {
  /** The part of the plane in which there is anything at all. */
  disc: Path2D;
  land: Path2D;
  borders: Path2D;
  countries: Country[];
  /** Meridians and parallels every so many degrees, within this part of the world. */
  graticule(step: number, within: Bounds): Path2D;
}

export interface Country {
  name: string;
  at: [number, number];
  /** The side of a square of the same area, in metres. */
  size: number;
}

/** West, south, east, north, in degrees. */
export type Bounds = [number, number, number, number];

type World = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;

let world: Promise<World> | undefined;
const shapes = new Map<string, Promise<Shapes>>();

/** Natural Earth's countries in a system; made once. */
export function shapesIn(system: System): Promise<Shapes> {
  let made = shapes.get(system.code);
  if (!made) shapes.set(system.code, (made = make(system)));
  // Whoever asks again after a failure may have more luck.
  made.catch(() => shapes.delete(system.code));
  return made;
}

async function make(system: System): Promise<Shapes> {
  world ??= fetch(atlas).then((response) => response.json() as Promise<World>);
  world.catch(() => (world = undefined));
  const topology = await world;
  const projection = projectionTo(system);
  const drawn = (object: Parameters<ReturnType<typeof geoPath>>[0]) => {
    const path = new Path2D();
    geoPath(projection, path as unknown as CanvasRenderingContext2D)(object);
    return path;
  };
  const { countries, land } = topology.objects;
  return {
    disc: drawn({ type: "Sphere" }),
    land: drawn(feature(topology, land)),
    borders: drawn(mesh(topology, countries, (one, other) => one !== other)),
    countries: feature(topology, countries).features.flatMap((country) => labelled(country as Land, projection, system)),
    graticule(step, [west, south, east, north]) {
      const lines = geoGraticule().step([step, step]).extentMajor([[west, south], [east, north]]);
      return drawn(lines.extentMinor([[west, south], [east, north]]).precision(Math.min(2.5, step / 4))());
    },
  };
}

/**
 * A projection of d3, which cuts what it draws at the edge of the system's reach on the sphere: there what is on the other
 * side of the world has no place in the plane.
 */
function projectionTo({ code, centre, reach }: System): GeoProjection {
  if (reach === undefined) {
    const world = geoProjection((longitude, latitude) => {
      const phi = Math.max(-POLE, Math.min(POLE, latitude));
      return [longitude, Math.log(Math.tan(Math.PI / 4 + phi / 2))];
    });
    const edge: [[number, number], [number, number]] = [[-HALF_WORLD, -HALF_WORLD], [HALF_WORLD, HALF_WORLD]];
    return world.scale(HALF_WORLD / Math.PI).translate([0, 0]).center([0, 0]).clipExtent(edge).precision(PRECISION);
  }
  const turned = geoRotation([-centre[0], -centre[1]]);
  const plane = geoProjection((x, y) => {
    const place = turned.invert([x * DEGREES, y * DEGREES]);
    return transform(place, "EPSG:4326", code) as [number, number];
  });
  plane.rotate([-centre[0], -centre[1]]).scale(1).translate([0, 0]).clipAngle(reach).precision(PRECISION);
  // d3 moves the centre to where it is told to; it is to stay where the system has it.
  const [x, y] = plane.translate([0, 0])(centre) ?? [0, 0];
  const [wantedX, wantedY] = transform(centre, "EPSG:4326", code) as [number, number];
  return plane.translate([wantedX - x, -wantedY - y]);
}

type Land = Feature<Polygon | MultiPolygon, { name: string }>;

function labelled(country: Land, projection: GeoProjection, { centre, reach = 180 }: System): Country[] {
  const { geometry } = country;
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const polygons = parts.map((coordinates): Polygon => ({ type: "Polygon", coordinates }));
  const largest = polygons.sort((one, other) => geoArea(other) - geoArea(one))[0];
  if (!largest) return [];
  const middle = geoCentroid(largest);
  const at = projection(middle);
  // Outside of the reach there is nothing to name.
  if (!at?.every(Number.isFinite) || geoDistance(middle, centre) * DEGREES > reach * 0.97) return [];
  return [{ name: country.properties.name, at, size: Math.sqrt(geoArea(largest)) * EARTH }];
}

const DEGREES = 180 / Math.PI;
/** Where Web Mercator ends, in radians. */
const POLE = (85.06 / 180) * Math.PI;
/** How far a drawn line may be from the true one, in metres. */
const PRECISION = 500;
/** The Earth's radius, in metres. */
const EARTH = 6_371_000;
