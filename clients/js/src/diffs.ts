import { Followed } from "./followed.js";
import type { Feature, Geometry } from "./geojson.js";

/** What `updateData` of a GeoJSON source of MapLibre takes. */
export interface Diff {
  removeAll?: boolean;
  remove?: (string | number)[];
  add?: Feature[];
  update?: {
    id: string | number;
    newGeometry?: Geometry;
    removeAllProperties?: boolean;
    addOrUpdateProperties?: { key: string; value: any }[];
  }[];
}

/** What is told of a channel that is tracked as diffs. */
export interface DiffEvents {
  diff: Diff;
}

/**
 * A tracked channel as diffs, which are told as they come. After a return of the connection the first one says
 * `removeAll`, with what is there now; so does one with nothing, when the channel may not be read any more.
 */
export class Diffs extends Followed<DiffEvents> {
  /** What is there on a new connection, until most of it has come. */
  #added: Feature[] = [];

  /** @internal */
  override lost(): void {
    super.lost();
    this.#added = [];
  }

  protected override terms(): object {
    return { track: true, format: "maplibre" };
  }

  protected override enters(_method: string, { diff }: { diff?: Diff }): boolean {
    return diff?.add !== undefined && !diff.remove && !diff.update;
  }

  protected override changed(method: string, params: { diff: Diff }): void {
    if (method !== "diff") return;
    if (this.isSettling && this.enters(method, params)) {
      for (const feature of params.diff.add ?? []) this.#added.push(feature);
      return;
    }
    if (this.isSettling) this.replaced();
    this.emit("diff", params.diff);
  }

  protected override forget(): void {
    this.emit("diff", { removeAll: true, add: [] });
  }

  protected override replaced(): void {
    super.replaced();
    const add = this.#added;
    this.#added = [];
    this.emit("diff", { removeAll: true, add });
  }
}
