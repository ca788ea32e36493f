import "ol/ol.css";
import "./style/page.css";
import "./style/panel.css";
import "./style/map.css";
import "./style/operator.css";
import { makeMap, zoomBy } from "./map/map.js";
import { Connections } from "./operator/connections.js";
import { showChannels, Troubles } from "./operator/lists.js";
import { Overview, showStore } from "./operator/overview.js";
import { Rates } from "./operator/rates.js";
import type { Connection, Report } from "./operator/report.js";
import { Source } from "./operator/source.js";
import { givenToken, TokenForm } from "./operator/token.js";
import { Viewports } from "./operator/viewports.js";
import { byId, count, say } from "./panel/element.js";
import { SYSTEMS } from "./systems.js";
import { bindTheme } from "./theme.js";

bindTheme(byId<HTMLButtonElement>("theme"));

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const map = makeMap(byId("map"), SYSTEMS[0]!, { centre: [10, 30], resolution: 40_000 });
const viewports = new Viewports(map, choose);
const connections = new Connections(choose);
const overview = new Overview();
const troubles = new Troubles();
const source = new Source();
const form = new TokenForm((token) => source.use(token));

let latest: Report | undefined;
let chosen: number | undefined;
/** Until somebody looks elsewhere, the map looks at all of them. */
let isFound = false;
/** How many connections were on the pages before this one. */
let before = 0;

source.on("report", (report) => {
  form.hide();
  state("open", report.server.draining ? "stopping" : "live");
  show(report);
});
source.on("trouble", (trouble) => state("waiting", trouble));
source.on("refused", (why) => {
  state("closed", "no access");
  latest = undefined;
  byId("shown").hidden = true;
  form.ask(why);
});

byId("zoom-in").addEventListener("click", () => zoomBy(map, 1, reduced.matches));
byId("zoom-out").addEventListener("click", () => zoomBy(map, -1, reduced.matches));
byId("fit").addEventListener("click", () => viewports.look(undefined, reduced.matches));
map.on("movestart", () => (isFound ||= viewports.size > 0));
byId("first-page").addEventListener("click", () => turn(0, 0));
byId("next-page").addEventListener("click", () => {
  const { list, next } = latest?.connections ?? { list: [], next: null };
  if (next !== null) turn(next, before + list.length);
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen !== undefined) choose(chosen);
});

const token = givenToken();
if (token === undefined) {
  state("closed", "no access");
  form.ask();
} else {
  source.use(token);
}

function show(report: Report): void {
  const rates = new Rates(latest, report);
  latest = report;
  byId("shown").hidden = false;
  overview.show(report, rates);
  showStore(report);
  showChannels(report, rates);
  troubles.show(report);
  const all = everybody(report);
  connections.show(all, rates);
  viewports.show(all);
  const { list, next } = report.connections;
  say(byId("connections-range"), range(list.length, report.now.connections));
  byId("next-page").hidden = next === null;
  byId("first-page").hidden = source.page.after === 0;
  say(byId("empty"), report.now.connections === 0 ? "Nobody is connected." : "Nobody here looks at a part of the world.");
  byId("empty").hidden = viewports.size > 0;
  if (!isFound && viewports.size > 0) {
    isFound = true;
    viewports.look(undefined, true);
  }
}

/** Those of the page, and the slow ones of all pages. */
function everybody({ connections, slow }: Report): Connection[] {
  return [...new Map([...slow, ...connections.list].map((connection) => [connection.id, connection])).values()];
}

function range(listed: number, all: number): string {
  if (listed === 0) return count(all);
  if (source.page.after === 0 && listed >= all) return count(all);
  return `${count(before + 1)}–${count(before + listed)} of ${count(all)}`;
}

function turn(after: number, seen: number): void {
  source.page = { after };
  before = seen;
  source.ask();
}

/** Marks a client in the table and on the map, or no client any more. */
function choose(id: number): void {
  chosen = chosen === id ? undefined : id;
  connections.choose(chosen);
  viewports.choose(chosen);
  if (chosen !== undefined) viewports.look(chosen, reduced.matches);
}

function state(status: "open" | "waiting" | "closed", text: string): void {
  byId("state").dataset["status"] = status;
  say(byId("state-text"), text);
}

/** For tests and for the browser's console. */
Object.assign(globalThis, { geocastOperator: { map, viewports } });
