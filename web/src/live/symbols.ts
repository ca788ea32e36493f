import type { FeatureLike } from "ol/Feature.js";
import type Feature from "ol/Feature.js";
import { Circle, Fill, Icon, Stroke, Style, Text } from "ol/style.js";
import { colours, onTheme } from "../theme.js";
import type { Kinds } from "./kinds.js";
import type { Thing } from "./thing.js";

/** What features look like: points with a heading as darts, others as dots, with a trail and a name when they are near. */
export class Symbols {
  readonly #kinds: Kinds;
  readonly #thing: (feature: Feature) => Thing | undefined;
  readonly #images = new Map<string, HTMLCanvasElement>();
  /** The key of what is selected. */
  selected: string | undefined;

  constructor(kinds: Kinds, thing: (feature: Feature) => Thing | undefined) {
    this.#kinds = kinds;
    this.#thing = thing;
    onTheme(() => this.#images.clear());
  }

  readonly style = (drawn: FeatureLike, resolution: number): Style[] => {
    const feature = drawn as Feature;
    const palette = colours();
    const key = String(feature.getId());
    const colour = palette.kinds[this.#kinds.indexOf(key) % palette.kinds.length] ?? palette.accent;
    const thing = this.#thing(feature);
    if (!thing?.shown) {
      const stroke = new Stroke({ color: colour, width: 2 });
      const fill = new Fill({ color: `${colour}26` });
      return [new Style({ stroke, fill, image: new Circle({ radius: 4, fill: new Fill({ color: colour }) }) })];
    }
    const styles: Style[] = [];
    if (key === this.selected) {
      const ring = new Circle({ radius: 14, stroke: new Stroke({ color: palette.ink, width: 2 }), declutterMode: "none" });
      styles.push(new Style({ geometry: thing.shown, image: ring }));
    }
    const heading: unknown = feature.get("heading") ?? feature.get("bearing") ?? feature.get("course");
    const points = typeof heading === "number";
    const scale = resolution < 60 ? 1 : resolution < 250 ? 0.82 : resolution < 1500 ? 0.66 : 0.45;
    styles.push(
      new Style({
        geometry: thing.shown,
        image: new Icon({
          img: this.#image(colour, palette.halo, points),
          scale: scale / SHARP,
          rotation: points ? (heading / 180) * Math.PI : 0,
          rotateWithView: true,
          declutterMode: "none",
        }),
      }),
    );
    const name: unknown = feature.get("line") ?? feature.get("name") ?? feature.get("label");
    if (resolution < NAMES && (typeof name === "string" || typeof name === "number")) {
      styles.push(
        new Style({
          geometry: thing.shown,
          text: new Text({
            text: String(name),
            font: "600 11px Inter, system-ui, sans-serif",
            offsetX: 11,
            textAlign: "left",
            fill: new Fill({ color: palette.ink }),
            stroke: new Stroke({ color: palette.halo, width: 3 }),
          }),
        }),
      );
    }
    return styles;
  };

  readonly trail = (drawn: FeatureLike): Style => {
    const { kinds } = colours();
    const colour = kinds[this.#kinds.indexOf(String(drawn.getId())) % kinds.length];
    return new Style({ stroke: new Stroke({ color: `${colour}70`, width: 2, lineCap: "round", lineJoin: "round" }) });
  };

  #image(colour: string, halo: string, points: boolean): HTMLCanvasElement {
    const key = `${colour} ${points}`;
    let image = this.#images.get(key);
    if (!image) this.#images.set(key, (image = paint(colour, halo, points)));
    return image;
  }
}

/** A dart that points north, or a dot. */
function paint(colour: string, halo: string, points: boolean): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * SHARP;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  context.scale(SHARP, SHARP);
  context.translate(SIDE / 2, SIDE / 2);
  context.beginPath();
  if (points) {
    context.moveTo(0, -8);
    context.lineTo(5.4, 6);
    context.quadraticCurveTo(0, 3, -5.4, 6);
    context.closePath();
  } else {
    context.arc(0, 0, 5, 0, 2 * Math.PI);
  }
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = halo;
  context.stroke();
  context.fillStyle = colour;
  context.fill();
  return canvas;
}

/** Pixels of an image for each of the screen's. */
const SHARP = 3;
const SIDE = 24;
/** From this resolution on, in metres for each pixel, there is room for names. */
const NAMES = 45;
