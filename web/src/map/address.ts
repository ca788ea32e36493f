import type { Place } from "./map.js";

/** What of the page stands in its address, so that it can be kept and passed on. */
export interface Address {
  channel?: string;
  crs?: string;
  place?: Place;
  second?: boolean;
}

/** Reads what stands behind `#`; what is no good is left out. */
export function readAddress(hash: string): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const [channel, crs, at] = [said.get("channel"), said.get("crs"), said.get("at")];
  const numbers = (at ?? "").split(",").map(Number);
  const [longitude, latitude, resolution] = numbers;
  const isPlace =
    at !== null && numbers.length === 3 && numbers.every(Number.isFinite) &&
    Math.abs(longitude!) <= 180 && Math.abs(latitude!) <= 90 && resolution! > 0;
  return {
    ...(channel ? { channel } : {}),
    ...(crs ? { crs } : {}),
    ...(isPlace ? { place: { centre: [longitude!, latitude!], resolution: resolution! } } : {}),
    ...(said.has("second") ? { second: true } : {}),
  };
}

export function writeAddress({ channel, crs, place, second }: Address): string {
  const said = new URLSearchParams();
  if (channel) said.set("channel", channel);
  if (crs) said.set("crs", crs);
  if (place) {
    const [longitude, latitude] = place.centre;
    said.set("at", `${longitude.toFixed(5)},${latitude.toFixed(5)},${Number(place.resolution.toPrecision(5))}`);
  }
  if (second) said.set("second", "");
  return `#${said.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replace("second=", "second")}`;
}
