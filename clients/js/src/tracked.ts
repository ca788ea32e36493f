import { GeocastError } from "./error.js";
import { Followed } from "./followed.js";
import type { Feature } from "./geojson.js";
import type { Home } from "./subscription.js";

/** Bounds on a tracked channel. */
export interface TrackOptions {
  /** How long changes are collected before they are told, in milliseconds; 16 if left out, a frame of a screen. */
  interval?: number;
  /** How many features are kept at most; with more, the subscription is given up (`too_many_features`). 250 000 if left out. */
  most?: number;
}

/** A feature has come into the viewport. */
export interface Enter {
  key: string;
  feature: Feature;
}

/** A feature has changed; `before` is what it was. */
export interface Update extends Enter {
  before: Feature;
}

/**
 * A feature is gone; `feature` is what it was. `reason` is the server's, or of this side, `reconnected` (it went while there
 * was no connection) or `ended` (the channel may not be read any more).
 */
export interface Leave extends Enter {
  reason: string;
}

/** What has happened since the last time, each key in at most one of them. */
export interface Changes {
  entered: Enter[];
  updated: Update[];
  left: Leave[];
}

/** What is told of a tracked channel: each change, and before that all of them together. */
export interface TrackedEvents {
  changes: Changes;
  enter: Enter;
  update: Update;
  leave: Leave;
}

type News = { feature: Feature } | { reason: string };

/**
 * What of a channel's state is in the viewport (docs/tracking.md). Changes are collected and told together: `features`
 * is what has been told. It stays while there is no connection; then the difference is told.
 */
export class Tracked extends Followed<TrackedEvents> {
  /** By key, as a string: `7` and `"7"` are one. Coordinates are in the client's projection. */
  readonly features: ReadonlyMap<string, Feature>;
  readonly #features = new Map<string, Feature>();
  /** What has not been told, the newest of each key. */
  readonly #news = new Map<string, News>();
  readonly #interval: number;
  readonly #most: number;
  readonly #home: Home;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many features there are when all is told. */
  #count = 0;

  /** @internal */
  constructor(channel: string, home: Home, { interval = 16, most = 250_000 }: TrackOptions) {
    super(channel, home);
    this.features = this.#features;
    this.#home = home;
    this.#interval = interval;
    this.#most = most;
  }

  /** @internal What has not been told is told by the next connection. */
  override lost(): void {
    super.lost();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#news.clear();
    this.#count = 0;
  }

  protected override terms(): object {
    return { track: true };
  }

  protected override enters(method: string): boolean {
    return method === "enter";
  }

  protected override changed(method: string, params: any): void {
    const key = String(params.key);
    const wasThere = this.#willHave(key);
    if (method === "enter" || method === "update") this.#news.set(key, { feature: params.content });
    else if (method === "leave") this.#news.set(key, { reason: params.reason });
    else return;
    this.#count += Number(method !== "leave") - Number(wasThere);
    if (this.#count > this.#most) this.#overflow();
    else if (!this.isSettling) this.#timer ??= setTimeout(() => this.#tell(), this.#interval);
  }

  protected override replaced(): void {
    for (const key of this.#features.keys()) {
      if (!this.#news.has(key)) this.#news.set(key, { reason: "reconnected" });
    }
    super.replaced();
    this.#tell();
  }

  protected override forget(): void {
    for (const key of this.#features.keys()) this.#news.set(key, { reason: "ended" });
    this.#tell();
  }

  #willHave(key: string): boolean {
    const news = this.#news.get(key);
    return news ? "feature" in news : !this.isAnew && this.#features.has(key);
  }

  #tell(): void {
    this.#timer = undefined;
    const changes = this.#apply();
    const { entered, updated, left } = changes;
    if (entered.length + updated.length + left.length === 0) return;
    this.emit("changes", changes);
    for (const leave of left) this.emit("leave", leave);
    for (const enter of entered) this.emit("enter", enter);
    for (const update of updated) this.emit("update", update);
  }

  #apply(): Changes {
    const changes: Changes = { entered: [], updated: [], left: [] };
    for (const [key, news] of this.#news) {
      const before = this.#features.get(key);
      if ("feature" in news) {
        const { feature } = news;
        this.#features.set(key, feature);
        if (before) changes.updated.push({ key, feature, before });
        else changes.entered.push({ key, feature });
      } else if (before) {
        this.#features.delete(key);
        changes.left.push({ key, feature: before, reason: news.reason });
      }
    }
    this.#news.clear();
    return changes;
  }

  #overflow(): void {
    this.close();
    const message = `${this.channel} has more than ${this.#most} features here: look at less, or raise the bound`;
    this.#home.refused(new GeocastError("too_many_features", message));
  }
}
