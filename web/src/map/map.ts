import { defaults } from "ol/interaction/defaults.js";
import OpenLayersMap from "ol/Map.js";
import { getPointResolution, transform } from "ol/proj.js";
import View from "ol/View.js";
import { Ground } from "../ground/layer.js";
import { projectionOf, systemOf, type System } from "../systems.js";
import { onTheme } from "../theme.js";

/** Where a map looks. */
export interface Place {
  /** Longitude and latitude of its middle, in degrees. */
  centre: [number, number];
  /** Metres on the ground for each pixel, in the middle. */
  resolution: number;
}

/** A map with land and borders, north (or what the projection has there) up. */
export function makeMap(target: HTMLElement, system: System, place: Place, options: { named?: boolean } = {}): OpenLayersMap {
  const ground = new Ground(options);
  onTheme(() => ground.changed());
  return new OpenLayersMap({
    target,
    controls: [],
    interactions: defaults({ altShiftDragRotate: false, pinchRotate: false }),
    layers: [ground],
    view: viewOf(system, place),
    // The map has the focus itself, so that arrow keys move it.
    keyboardEventTarget: target,
  });
}

/** The same place in another system; the middle of the system where the place is not in its reach. */
export function viewOf(system: System, { centre, resolution }: Place): View {
  const projection = projectionOf(system.code);
  const isInside = system.reach === undefined || distance(centre, system.centre) < system.reach;
  const middle = transform(isInside ? centre : system.centre, "EPSG:4326", system.code);
  const distortion = getPointResolution(projection, 1, middle, "m") || 1;
  return new View({
    projection,
    center: middle,
    resolution: resolution / distortion,
    minResolution: 0.5,
    maxResolution: WIDEST,
    constrainOnlyCenter: true,
    extent: system.extent,
    enableRotation: false,
    smoothResolutionConstraint: false,
    showFullExtent: true,
  });
}

/** Where a map looks, whatever its system. */
export function placeOf(map: OpenLayersMap): Place {
  const view = map.getView();
  const projection = view.getProjection();
  const centre = view.getCenter() ?? [0, 0];
  const resolution = view.getResolution() ?? 1;
  return {
    centre: transform(centre, projection, "EPSG:4326") as [number, number],
    resolution: resolution * (getPointResolution(projection, 1, centre, "m") || 1),
  };
}

/** The system that a map is shown in. */
export function shownIn(map: OpenLayersMap): System {
  return systemOf(map.getView().getProjection().getCode());
}

/** Shows the same place in another system. */
export function project(map: OpenLayersMap, system: System): void {
  map.setView(viewOf(system, placeOf(map)));
}

/** Zooms by a factor of two for each step. */
export function zoomBy(map: OpenLayersMap, steps: number, still: boolean): void {
  const view = map.getView();
  const resolution = view.getConstrainedResolution((view.getResolution() ?? 1) / 2 ** steps);
  view.cancelAnimations();
  if (resolution !== undefined) view.animate({ resolution, duration: still ? 0 : 200 });
}

/** Degrees of a great circle between two places. */
function distance([longitude, latitude]: [number, number], [otherLongitude, otherLatitude]: [number, number]): number {
  const radians = (degrees: number) => (degrees / 180) * Math.PI;
  const [phi, other] = [radians(latitude), radians(otherLatitude)];
  const between = Math.sin(phi) * Math.sin(other) + Math.cos(phi) * Math.cos(other) * Math.cos(radians(longitude - otherLongitude));
  return (Math.acos(Math.min(1, Math.max(-1, between))) / Math.PI) * 180;
}

/** Metres for each pixel, so that the world fits a screen. */
const WIDEST = 100_000;
