import Feature from "ol/Feature.js";
import LineString from "ol/geom/LineString.js";
import Point from "ol/geom/Point.js";

/** Something on the map that may be on its way from where it was to where it is. */
export class Thing {
  readonly feature: Feature;
  /** Where it is drawn, if it is a point. */
  readonly shown: Point | undefined;
  /** Where it has been, once it has been somewhere else. */
  readonly trail: Feature<LineString> | undefined;
  readonly #places: number[][] = [];
  #from: number[] = [];
  #to: number[] = [];
  #since = 0;
  #lasts = 0;
  #heard: number;

  constructor(feature: Feature, now: number) {
    this.feature = feature;
    this.#heard = now;
    const geometry = feature.getGeometry();
    if (geometry instanceof Point) {
      this.#from = this.#to = geometry.getCoordinates();
      this.shown = new Point(this.#to);
      this.trail = new Feature();
      this.#places.push(this.#to);
    }
  }

  /** Draws its trail as far as it has come. */
  draw(): void {
    if (this.#places.length > 1) this.trail?.setGeometry(new LineString(this.#places));
  }

  /** It is there now, and is shown on its way for about as long as it takes to hear of it again. */
  moved(to: number[], now: number): void {
    if (!this.shown) return;
    this.#from = this.shown.getCoordinates();
    this.#to = to;
    this.#lasts = Math.min(LONGEST, Math.max(0, now - this.#heard));
    this.#since = this.#heard = now;
    const [x, y] = this.#places.at(-1) ?? [];
    if (to[0] === x && to[1] === y) return;
    if (this.#places.length === TRAIL) this.#places.shift();
    this.#places.push(to);
  }

  /** Moves it to where it is at this moment; false if it has arrived. */
  step(now: number): boolean {
    if (!this.shown) return false;
    const part = this.#lasts > 0 ? Math.min(1, (now - this.#since) / this.#lasts) : 1;
    const between = (from = 0, to = 0) => from + (to - from) * part;
    this.shown.setCoordinates([between(this.#from[0], this.#to[0]), between(this.#from[1], this.#to[1])]);
    if (part === 1) this.#lasts = 0;
    return part < 1;
  }

  /** Shows it where it is. */
  arrive(): void {
    this.#lasts = 0;
    this.shown?.setCoordinates(this.#to);
  }
}

/** Longer than this nothing is on its way, in milliseconds: who is silent has not moved. */
const LONGEST = 1500;
/** Places that are remembered. */
const TRAIL = 240;
