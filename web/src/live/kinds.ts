import type { PropertyFilter } from "geocast-client";
import { Emitter } from "../emitter.js";

/** One of the kinds of features that there are, by a property of theirs. */
export interface Kind {
  name: string;
  count: number;
  wanted: boolean;
}

interface KindEvents {
  /** Others are wanted now. */
  changed: null;
}

/** What kinds of features there are, and which of them are wanted. The server is asked for those alone. */
export class Kinds extends Emitter<KindEvents> {
  #property: string | undefined;
  readonly #kinds = new Map<string, Kind>();
  readonly #of = new Map<string, Kind>();
  readonly #leader: Kinds | undefined;

  /** What the leader knows has the same colours here. */
  constructor(leader?: Kinds) {
    super();
    this.#leader = leader;
  }

  /** The property that tells kinds apart. */
  get property(): string | undefined {
    return this.#property;
  }

  /** In the order of their names, so that each has the same colour the next time. */
  list(): Kind[] {
    return [...this.#kinds.values()].sort((one, other) => one.name.localeCompare(other.name));
  }

  /** Which of the kinds it is, for its colour; the first if it is none. */
  indexOf(key: string): number {
    const kind = this.#of.get(key);
    if (!kind) return 0;
    const named = (list: Kind[]) => list.findIndex(({ name }) => name === kind.name);
    const led = this.#leader ? named(this.#leader.list()) : -1;
    return led >= 0 ? led : named(this.list());
  }

  note(key: string, properties: Record<string, unknown> | null | undefined): void {
    this.#property ??= PROPERTIES.find((name) => typeof properties?.[name] === "string");
    const value = this.#property === undefined ? undefined : properties?.[this.#property];
    const former = this.#of.get(key);
    if (former && former.name === value) return;
    this.left(key);
    if (typeof value !== "string") return;
    let kind = this.#kinds.get(value);
    if (!kind) {
      if (this.#kinds.size === MOST) return;
      this.#kinds.set(value, (kind = { name: value, count: 0, wanted: true }));
    }
    kind.count += 1;
    this.#of.set(key, kind);
  }

  left(key: string): void {
    const kind = this.#of.get(key);
    if (!kind) return;
    kind.count -= 1;
    this.#of.delete(key);
  }

  want(name: string, wanted: boolean): void {
    const kind = this.#kinds.get(name);
    if (!kind) return;
    kind.wanted = wanted;
    this.emit("changed", null);
  }

  forget(): void {
    this.#property = undefined;
    this.#kinds.clear();
    this.#of.clear();
  }

  /** What the server is to be asked for, if it is not all. */
  wanted(): Record<string, PropertyFilter> | undefined {
    const kinds = this.list();
    if (this.#property === undefined || kinds.every(({ wanted }) => wanted)) return undefined;
    return { [this.#property]: kinds.filter(({ wanted }) => wanted).map(({ name }) => name) };
  }
}

/** Under which names a kind is usually told. */
const PROPERTIES = ["type", "kind", "category", "mode", "class"];
/** More than these are not told apart by colours. */
const MOST = 6;
