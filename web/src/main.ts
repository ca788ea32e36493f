import "ol/ol.css";
import "./style/page.css";
import "./style/panel.css";
import "./style/map.css";
import { showOnConsole } from "./console.js";
import { Kinds } from "./live/kinds.js";
import { Live } from "./live/live.js";
import { readAddress, writeAddress } from "./map/address.js";
import { fit } from "./map/fit.js";
import { makeMap, placeOf, project, shownIn, viewOf, zoomBy } from "./map/map.js";
import { bindReadout } from "./map/readout.js";
import { Second } from "./map/second.js";
import { bindAccess, storedToken } from "./panel/access.js";
import { bindChannels, listChannels } from "./panel/channels.js";
import { bindConnection } from "./panel/connection.js";
import { byId, count, say } from "./panel/element.js";
import { bindFeature } from "./panel/feature.js";
import { Flow } from "./panel/flow.js";
import { Frames } from "./panel/frames.js";
import { bindKinds } from "./panel/kinds.js";
import { bindSystems } from "./panel/systems.js";
import { registerSystems, systemOf } from "./systems.js";
import { bindTheme, onTheme } from "./theme.js";

/** What is to be seen comes within so many milliseconds of the server's word that it knows where the map looks. */
const SETTLING = 250;

registerSystems();
bindTheme(byId<HTMLButtonElement>("theme"));

const address = readAddress(location.hash);
const token = storedToken();
const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const target = byId("map");
const map = makeMap(target, systemOf(address.crs ?? null), address.place ?? { centre: [10, 40], resolution: 25_000 });
const frames = new Frames();
const live = new Live(map, { token, heard: frames.heard });
let second: Second | undefined;
let secondFlow: Flow | undefined;
/** Until somebody looks elsewhere, the map looks at what comes first. */
let isFound = address.place !== undefined;
/** How far out it looks then, in metres for each pixel: near enough to see that something moves. */
let widestLook = 150;

const systems = bindSystems((system) => project(map, system));
const kinds = bindKinds(live.kinds);
const feature = bindFeature(map, live, () => shownIn(map).code);
const channels = bindChannels((channel) => follow(channel));
new Flow(byId("flow"), live.client, live.tap.received, () => live.channel);
bindConnection(live.client);
bindReadout(map, byId("scale"), byId("pointer"));
bindAccess();

live.on("changed", (number) => {
  say(byId("count"), count(number));
  say(byId("count-text"), number === 1 ? "feature in view" : "features in view");
  kinds.show();
  feature.show();
  if (number > 0 && !isFound) find();
});
live.on("refused", (message) => {
  const refusal = byId("refusal");
  say(refusal, message);
  refusal.hidden = false;
});

map.on("moveend", remember);
map.on("change:view", () => systems.show(shownIn(map)));
systems.show(shownIn(map));
onTheme(() => {
  live.redraw();
  second?.redraw();
});

byId("zoom-in").addEventListener("click", () => zoomBy(map, 1, reduced.matches));
byId("zoom-out").addEventListener("click", () => zoomBy(map, -1, reduced.matches));
byId("fit").addEventListener("click", () => showAll());
byId<HTMLInputElement>("still").addEventListener("change", ({ target }) => live.minMove((target as HTMLInputElement).checked ? 1 : 0));
byId<HTMLInputElement>("second-switch").addEventListener("change", ({ target }) => toggleSecond((target as HTMLInputElement).checked));
byId("second-close").addEventListener("click", () => toggleSecond(false));

showOnConsole(map, live, () => second);
void begin();

async function begin(): Promise<void> {
  const offered = await listChannels(token).catch(() => []);
  channels.offer(offered);
  const channel = address.channel ?? offered[0];
  if (channel !== undefined) {
    channels.show(channel);
    follow(channel);
  } else {
    say(byId("empty"), "Name a channel, and what is on it appears here.");
    byId("empty").hidden = false;
  }
  if (address.second) toggleSecond(true);
}

function follow(channel: string): void {
  byId("refusal").hidden = byId("empty").hidden = true;
  live.follow(channel);
  second?.live.follow(channel);
  kinds.show();
  remember();
}

/** Looks at what has come, once that is a good part of it. */
function find(): void {
  isFound = true;
  const then = () => second?.look();
  const look = () => setTimeout(() => fit(map, live, { widest: widestLook, still: reduced.matches, then }), SETTLING);
  live.looking.then(look, look);
}

/** Looks at everything, to see where there is something, and then at that. */
function showAll(): void {
  const { centre } = shownIn(map);
  widestLook = Infinity;
  isFound = false;
  map.setView(viewOf(shownIn(map), { centre: [centre[0], shownIn(map).reach === undefined ? 20 : centre[1]], resolution: 100_000 }));
  if (live.things.size > 0) find();
}

function toggleSecond(on: boolean): void {
  byId("second").hidden = byId("second-flow").hidden = !on;
  byId<HTMLInputElement>("second-switch").checked = on;
  if (on && !second) {
    second = new Second(map, byId("second-map"), byId<HTMLSelectElement>("second-system"), { token, kinds: new Kinds(live.kinds) });
    second.live.on("changed", (number) => say(byId("second-count"), count(number)));
    const { client, tap } = second.live;
    secondFlow = new Flow(byId("second-flow"), client, tap.received, () => second?.live.channel);
    if (live.channel !== undefined) second.live.follow(live.channel);
  } else if (!on) {
    secondFlow?.close();
    second?.close();
    second = secondFlow = undefined;
  }
  remember();
}

function remember(): void {
  const channel = live.channel;
  const place = isFound ? { place: placeOf(map) } : {};
  const said = writeAddress({ ...(channel ? { channel } : {}), crs: shownIn(map).code, ...place, ...(second ? { second: true } : {}) });
  if (said !== location.hash) history.replaceState(null, "", said);
}
