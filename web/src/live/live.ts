import { connect, type Client, type Feature, type Tracked } from "geocast-client";
import type OpenLayersFeature from "ol/Feature.js";
import GeoJSON from "ol/format/GeoJSON.js";
import Point from "ol/geom/Point.js";
import type OpenLayersMap from "ol/Map.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import { Emitter } from "../emitter.js";
import { Kinds } from "./kinds.js";
import { Symbols } from "./symbols.js";
import { Tap, type Frame } from "./tap.js";
import { Thing } from "./thing.js";

export interface LiveOptions {
  token: string | undefined;
  heard?: (frame: Frame) => void;
  kinds?: Kinds;
}

interface LiveEvents {
  /** What is shown has changed. */
  changed: number;
  /** The server has been told of another viewport. */
  looked: { bbox: number[]; crs: string };
  /** The channel may not be read, or something else was refused. */
  refused: string;
}

/** One connection to the server, and what it says of one channel shown on one map, in the map's own projection. */
export class Live extends Emitter<LiveEvents> {
  readonly client: Client;
  readonly tap: Tap;
  readonly kinds: Kinds;
  readonly things = new Map<string, Thing>();
  readonly layer: VectorLayer;
  readonly #map: OpenLayersMap;
  readonly #symbols: Symbols;
  readonly #source = new VectorSource();
  readonly #trails = new VectorSource();
  readonly #trailing: ReturnType<typeof setInterval>;
  readonly #format = new GeoJSON();
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #tracked: Tracked | undefined;
  #crs: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #drawn = 0;
  #minMove = 0;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(map: OpenLayersMap, { token, heard, kinds = new Kinds() }: LiveOptions) {
    super();
    this.#map = map;
    this.kinds = kinds;
    this.tap = new Tap(heard);
    const url = new URL("rpc", document.baseURI);
    this.client = connect(url, {
      ...(token ? { token } : {}),
      WebSocket: this.tap.Socket,
      backoff: { longest: 8000 },
    });
    this.client.on("error", (error) => this.emit("refused", error.message));
    this.#symbols = new Symbols(kinds, (feature) => this.#thing(feature));
    this.layer = new VectorLayer({ source: this.#source, style: this.#symbols.style, declutter: true });
    const trails = new VectorLayer({ source: this.#trails, style: this.#symbols.trail, maxResolution: TRAILS });
    map.addLayer(trails);
    map.addLayer(this.layer);
    this.#trailing = setInterval(() => this.#draw(), TRAIL_INTERVAL);
    map.on("moveend", () => this.#lookSoon());
    // Another view has another system: what is there is not drawn in it, not even for a moment.
    map.on("change:view", () => this.#look());
    kinds.on("changed", () => this.#look());
  }

  get channel(): string | undefined {
    return this.#tracked?.channel;
  }

  /** What was last told of a feature, as the server wrote it. */
  told(key: string): Feature | undefined {
    return this.#tracked?.features.get(key);
  }

  /** Settles when the server knows where the map looks: what is there has come by then, or is about to. */
  get looking(): Promise<unknown> {
    return this.#looking;
  }

  /** Shows another channel, or the same anew. */
  follow(channel: string): void {
    this.#tracked?.close();
    this.#clear();
    this.kinds.forget();
    this.#look();
    this.#tracked = this.client.track(channel);
    this.#tracked.on("changes", ({ entered, updated, left }) => {
      const now = performance.now();
      for (const { key } of left) this.#remove(key);
      const known = updated.filter(({ key }) => this.things.has(key));
      // Those that were cleared away, as their coordinates were in another system.
      const others = updated.filter(({ key }) => !this.things.has(key));
      for (const { key, feature } of known) this.#update(key, feature, now);
      this.#source.addFeatures([...entered, ...others].map(({ key, feature }) => this.#add(key, feature, now)));
      this.emit("changed", this.things.size);
      this.#move();
    });
  }

  /** Is not told of what moves less than so many pixels. */
  minMove(pixels: number): void {
    this.#minMove = pixels;
    this.#look();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#trailing);
    cancelAnimationFrame(this.#frame);
    this.client.close();
  }

  /** What is drawn there: the nearest point within a distance, or else what covers the place. In the map's units. */
  keyAt([x = 0, y = 0]: number[], reach: number): string | undefined {
    let [nearest, distance] = [undefined as string | undefined, reach];
    for (const [key, { shown }] of this.things) {
      const [at, high] = shown?.getCoordinates() ?? [Infinity, Infinity];
      const away = Math.hypot((at ?? Infinity) - x, (high ?? Infinity) - y);
      if (away <= distance) [nearest, distance] = [key, away];
    }
    if (nearest !== undefined) return nearest;
    const shape = this.#source.getClosestFeatureToCoordinate([x, y], (feature) => !(feature.getGeometry() instanceof Point));
    const [left = 0, bottom = 0] = shape?.getGeometry()?.getClosestPoint([x, y]) ?? [Infinity, Infinity];
    return shape && Math.hypot(left - x, bottom - y) <= reach ? String(shape.getId()) : undefined;
  }

  /** Marks one of the features. */
  select(key: string | undefined): void {
    this.#symbols.selected = key;
    this.layer.changed();
  }

  /** Draws everything again, in other colours. */
  redraw(): void {
    this.layer.changed();
  }

  #thing(feature: OpenLayersFeature): Thing | undefined {
    return this.things.get(String(feature.getId()));
  }

  #add(key: string, told: Feature, now: number): OpenLayersFeature {
    const feature = this.#format.readFeature(told) as OpenLayersFeature;
    feature.setId(key);
    const thing = new Thing(feature, now);
    this.things.set(key, thing);
    if (thing.trail) {
      thing.trail.setId(key);
      this.#trails.addFeature(thing.trail);
    }
    this.kinds.note(key, told.properties);
    return feature;
  }

  #update(key: string, told: Feature, now: number): void {
    const thing = this.things.get(key);
    if (!thing) return;
    const read = this.#format.readFeature(told) as OpenLayersFeature;
    const geometry = read.getGeometry();
    if (!(geometry instanceof Point && thing.shown)) {
      // Another shape is another thing.
      this.#remove(key);
      this.#source.addFeature(this.#add(key, told, now));
      return;
    }
    thing.feature.setProperties(read.getProperties());
    thing.moved(geometry.getCoordinates(), now);
    this.kinds.note(key, told.properties);
  }

  #remove(key: string): void {
    const thing = this.things.get(key);
    if (!thing) return;
    this.#source.removeFeature(thing.feature);
    if (thing.trail) this.#trails.removeFeature(thing.trail);
    this.things.delete(key);
    this.kinds.left(key);
  }

  #clear(): void {
    this.#source.clear(true);
    this.#trails.clear(true);
    for (const key of this.things.keys()) this.kinds.left(key);
    this.things.clear();
    this.emit("changed", 0);
  }

  #lookSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), REST);
  }

  /** Tells the server where the map looks, and in which system. */
  #look(): void {
    const view = this.#map.getView();
    const [size, resolution] = [this.#map.getSize(), view.getResolution()];
    if (!size?.every((side) => side > 0) || !resolution || !view.getCenter()) return;
    const crs = view.getProjection().getCode();
    if (this.#crs !== crs) {
      this.#crs = crs;
      // What is there is in another system. The server tells all of it again.
      this.#clear();
      void this.client.projection(crs);
    }
    const bbox = view.calculateExtent(size) as [number, number, number, number];
    const zoom = Math.min(30, Math.max(-2, Math.log2(PIXEL / resolution)));
    const properties = this.kinds.wanted();
    this.#looking = this.client.viewport({
      bbox, crs, zoom,
      ...(properties ? { properties } : {}),
      ...(this.#minMove > 0 ? { minMove: this.#minMove } : {}),
    });
    this.emit("looked", { bbox, crs });
  }

  /** Draws what is on its way, a frame after the other, until everything has arrived. */
  #move(): void {
    if (this.#still.matches || this.things.size > MOST_MOVING) {
      for (const thing of this.things.values()) thing.arrive();
      this.layer.changed();
      return;
    }
    if (this.#frame) return;
    const step = (now: number) => {
      this.#frame = 0;
      let moving = true;
      if (now - this.#drawn >= this.#pause()) {
        this.#drawn = now;
        moving = false;
        for (const thing of this.things.values()) moving = thing.step(now) || moving;
        this.layer.changed();
      }
      if (moving) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  /** Between two times that it is drawn, in milliseconds: from far away nothing moves fast. */
  #pause(): number {
    const resolution = this.#map.getView().getResolution() ?? 0;
    return resolution > 100 ? 120 : resolution > 30 ? 60 : 0;
  }

  #draw(): void {
    if (document.hidden || (this.#map.getView().getResolution() ?? Infinity) > TRAILS || this.things.size > MOST_MOVING) return;
    for (const thing of this.things.values()) thing.draw();
  }
}

/** From this resolution on, in metres for each pixel, trails are long enough to be seen. */
const TRAILS = 400;
/** How often they are drawn, in milliseconds. */
const TRAIL_INTERVAL = 1000;
/** How long the map has to rest before the server is told, in milliseconds. */
const REST = 80;
/** More things than these are not shown on their way: drawing them would take longer than a frame. */
const MOST_MOVING = 3000;
/** A pixel at zoom level 0, in metres of Web Mercator. */
const PIXEL = (2 * Math.PI * 6378137) / 256;
