import { count } from "../panel/element.js";

/** So many a second: few digits, and a dash where it is not known. */
export function rate(number: number | undefined): string {
  if (number === undefined) return "–";
  return number < 10 && number % 1 !== 0 ? number.toFixed(1) : count(Math.round(number));
}

/** A time by its two largest units. */
export function time(seconds: number): string {
  if (seconds < 1) return `${seconds < 0.01 ? (seconds * 1000).toFixed(1) : Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.floor(seconds)} s`;
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (minutes < 60) return `${minutes} min`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${days} d ${hours % 24} h`;
}

/** How wide and high a box in degrees is on the ground, in its middle. */
export function extent([west, south, east, north]: [number, number, number, number]): string {
  const down = (north - south) * DEGREE;
  const across = (east - west) * DEGREE * Math.cos((((north + south) / 2) * Math.PI) / 180);
  const digits = (kilometres: number) => (kilometres < 10 ? kilometres.toFixed(1) : count(Math.round(kilometres)));
  return `${digits(across)} × ${digits(down)} km`;
}

/** Kilometres of a degree of latitude. */
const DEGREE = 111.2;
