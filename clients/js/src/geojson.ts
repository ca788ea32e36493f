/** Longitude and latitude, or easting and northing, and perhaps a height: x before y in every coordinate system. */
export type Position = number[];

/** A geometry of RFC 7946, in the client's coordinate system. */
export type Geometry =
  | { type: "Point"; coordinates: Position }
  | { type: "MultiPoint"; coordinates: Position[] }
  | { type: "LineString"; coordinates: Position[] }
  | { type: "MultiLineString"; coordinates: Position[][] }
  | { type: "Polygon"; coordinates: Position[][] }
  | { type: "MultiPolygon"; coordinates: Position[][][] }
  | { type: "GeometryCollection"; geometries: Geometry[] };

/** A feature of RFC 7946 §3.2. An `id` that is a number of more than 15 digits loses some when JavaScript reads it. */
export interface Feature {
  type: "Feature";
  id?: string | number;
  geometry: Geometry | null;
  properties: { [name: string]: any } | null;
}
