import type { FrameState } from "ol/Map.js";
import Layer from "ol/layer/Layer.js";
import { getTransform } from "ol/proj.js";
import Source from "ol/source/Source.js";
import { HALF_WORLD, systemOf, type System } from "../systems.js";
import { colours, type Colours } from "../theme.js";
import { shapesIn, type Bounds, type Country, type Shapes } from "./shapes.js";

/** Land, borders, a graticule: drawn from paths that are projected once. */
export class Ground extends Layer {
  readonly #canvas = document.createElement("canvas");
  readonly #ready = new Map<string, Shapes>();
  readonly #asked = new Set<string>();
  #graticule: { key: string; path: Path2D } | undefined;
  readonly #named: boolean;
  /** What the canvas shows: the features above it move many times a second, and the land does not. */
  #shown = "";

  constructor({ named = true } = {}) {
    super({ source: new Source({ attributions: "Natural Earth" }) });
    this.#named = named;
    this.#canvas.className = "ground";
    this.#canvas.style.position = "absolute";
  }

  override render({ size, pixelRatio, viewState }: FrameState): HTMLElement {
    const canvas = this.#canvas;
    const [width, height] = size as [number, number];
    const system = systemOf(viewState.projection.getCode());
    const shapes = this.#shapes(system);
    const { center, resolution } = viewState;
    const palette = colours();
    const showing = [system.code, center, resolution, size, pixelRatio, palette.sea, shapes !== undefined].join();
    if (showing === this.#shown) return canvas;
    this.#shown = showing;
    const [wide, high] = [Math.round(width * pixelRatio), Math.round(height * pixelRatio)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    const scale = pixelRatio / resolution;
    const place = (shift: number) => {
      const [x, y] = [(center[0] ?? 0) - shift, center[1] ?? 0];
      context.setTransform(scale, 0, 0, scale, wide / 2 - x * scale, high / 2 + y * scale);
    };
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = palette.beyond;
    context.fillRect(0, 0, wide, high);
    if (!shapes) return canvas;
    const pixel = resolution;
    for (const shift of shifts(system, center[0] ?? 0, (width * resolution) / 2)) {
      place(shift);
      context.fillStyle = palette.sea;
      context.fill(shapes.disc);
      context.fillStyle = palette.land;
      context.fill(shapes.land, "evenodd");
      context.lineWidth = pixel;
      context.strokeStyle = palette.graticule;
      context.stroke(this.#lines(system, shapes, viewState.resolution, { width, height, center }));
      context.strokeStyle = palette.coast;
      context.stroke(shapes.land);
      context.strokeStyle = palette.border;
      context.setLineDash([4 * pixel, 3 * pixel]);
      context.stroke(shapes.borders);
      context.setLineDash([]);
      if (this.#named) {
        context.setTransform(1, 0, 0, 1, 0, 0);
        const [x, y] = [(center[0] ?? 0) - shift, center[1] ?? 0];
        name(context, shapes.countries, palette, { scale, pixelRatio, at: ([px, py]) => [wide / 2 + (px - x) * scale, high / 2 + (py + y) * scale] });
      }
    }
    return canvas;
  }

  #shapes(system: System): Shapes | undefined {
    if (!this.#asked.has(system.code)) {
      this.#asked.add(system.code);
      const ready = (shapes: Shapes) => {
        this.#ready.set(system.code, shapes);
        this.changed();
      };
      const again = () => {
        this.#asked.delete(system.code);
        this.changed();
      };
      // Features are seen without it as well.
      shapesIn(system).then(ready, () => setTimeout(again, PATIENCE));
    }
    return this.#ready.get(system.code);
  }

  #lines(system: System, shapes: Shapes, resolution: number, view: Look): Path2D {
    const step = stepFor(resolution);
    const bounds = step < WHOLE ? boundsOf(system, resolution, view, step) : undefined;
    const key = [system.code, step, bounds ?? ""].join(" ");
    if (this.#graticule?.key !== key) {
      this.#graticule = { key, path: shapes.graticule(bounds ? step : WHOLE, bounds ?? EVERYWHERE) };
    }
    return this.#graticule.path;
  }
}

interface Look {
  width: number;
  height: number;
  center: number[];
}

/** How far the world is to be drawn aside, for each copy of it in sight. */
function shifts(system: System, x: number, half: number): number[] {
  if (system.reach !== undefined) return [0];
  const [first, last] = [x - half, x + half].map((edge) => Math.round(edge / (2 * HALF_WORLD)));
  return Array.from({ length: (last ?? 0) - (first ?? 0) + 1 }, (_, i) => ((first ?? 0) + i) * 2 * HALF_WORLD);
}

/** Degrees between two lines, so that they are a hand's breadth apart. */
function stepFor(resolution: number): number {
  const wanted = (180 * resolution) / 111_000;
  return STEPS.find((step) => step >= wanted) ?? WHOLE;
}

/** What of the world is in sight, in whole steps; nothing where that is not found at the edge of the screen. */
function boundsOf({ code }: System, resolution: number, { width, height, center }: Look, step: number): Bounds | undefined {
  const inverse = getTransform(code, "EPSG:4326");
  const places: [number, number][] = [];
  for (let across = -1; across <= 1; across += 0.25) {
    for (let down = -1; down <= 1; down += 0.25) {
      const x = (center[0] ?? 0) + (across * width * resolution) / 2;
      const y = (center[1] ?? 0) + (down * height * resolution) / 2;
      places.push(inverse([x, y], undefined, 2) as [number, number]);
    }
  }
  if (!places.flat().every(Number.isFinite)) return undefined;
  const longitudes = places.map(([longitude]) => longitude);
  const latitudes = places.map(([, latitude]) => latitude);
  const down = (degrees: number) => Math.floor(degrees / step) * step;
  const [west, east] = [down(Math.min(...longitudes)), down(Math.max(...longitudes)) + step];
  const [south, north] = [down(Math.min(...latitudes)), down(Math.max(...latitudes)) + step];
  if (east - west > 90 || north > 85 || south < -85) return undefined;
  return [west, south, east, north];
}

interface Screen {
  scale: number;
  pixelRatio: number;
  at: (place: [number, number]) => [number, number];
}

/** Names of countries that are wide enough for them. */
function name(context: CanvasRenderingContext2D, countries: Country[], palette: Colours, { scale, pixelRatio, at }: Screen): void {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = palette.name;
  for (const { name, at: place, size } of countries) {
    const wide = size * scale;
    if (wide < 46 * pixelRatio || wide > 2600 * pixelRatio) continue;
    const letters = Math.min(15, Math.max(10, wide / pixelRatio / 14));
    context.font = `500 ${letters * pixelRatio}px Inter, system-ui, sans-serif`;
    context.letterSpacing = `${0.14 * letters * pixelRatio}px`;
    const text = name.toUpperCase();
    if (context.measureText(text).width > wide * 1.5) continue;
    const [x, y] = at(place);
    context.fillText(text, x, y);
  }
  context.letterSpacing = "0px";
}

/** Steps of a graticule, in degrees. */
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const WHOLE = 10;
/** Milliseconds until a land that did not come is asked for again, if its system is still shown. */
const PATIENCE = 2000;
const EVERYWHERE: Bounds = [-180, -90, 180, 90];
