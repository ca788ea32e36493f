// What a map's page types is what the adapters take: held by the compiler alone.
import { connect, type Feature } from "../src/index.js";
import { follow as followMapLibre } from "../src/maplibre.js";
import { follow as followOpenLayers } from "../src/openlayers.js";
import type { Map as MapLibreMap, GeoJSONSource } from "maplibre-gl";
import type { Feature as StandardFeature, Geometry } from "geojson";
import type OpenLayersMap from "ol/Map.js";
import type VectorSource from "ol/source/Vector.js";
import WebSocket from "ws";

export function typed(map: MapLibreMap, source: GeoJSONSource, other: OpenLayersMap, vector: VectorSource): StandardFeature<Geometry | null>[] {
  const client = connect("ws://127.0.0.1:8765/rpc", { WebSocket });
  followMapLibre(client, map, source, "vehicles", { fields: ["line"], minMove: 2 }).stop();
  const { tracked, stop } = followOpenLayers(client, other, vector, "ships");
  stop();
  const features: Iterable<Feature> = tracked.features.values();
  return [...features];
}
