// What MapLibre does with diffs, by its own code. The package has it as source, beside a bundle that needs a page.
import { readFileSync } from "node:fs";
import typescript from "typescript";

const source = new URL("../node_modules/maplibre-gl/src/source/geojson_source_diff.ts", import.meta.url);
const { outputText } = typescript.transpileModule(readFileSync(source, "utf8"), {
  compilerOptions: { module: "ESNext", target: "ES2022" },
});
const { applySourceDiff, mergeSourceDiffs } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

/** A GeoJSON source: while its worker is busy, diffs are merged. */
export class Source {
  /** By id, as MapLibre tells ids apart. */
  features = new Map();
  #pending;

  updateData(diff) {
    if (!this.#pending) setTimeout(() => this.#work(), 20);
    this.#pending = mergeSourceDiffs(this.#pending, diff);
  }

  #work() {
    applySourceDiff(this.features, this.#pending);
    this.#pending = undefined;
  }
}
