"""In how much detail the fake sends geometries, and wrongly if it is told so."""

from dataclasses import replace

import shapely

from detail import pixel


def reduced(fault, detail, geometry, degrees, computed):
    """A geometry as it is sent to who asks for this detail; `degrees` is the same in longitude and latitude, `computed` how many
    decimals are sent of it, if it is in a system that it was not published in."""
    if geometry is None or detail.is_full and computed is None:
        return geometry
    if fault == "takes the level below" and detail.level is not None:
        detail = replace(detail, zoom=detail.level - 1)
    if geometry["type"] == "GeometryCollection":
        members = zip(geometry["geometries"], degrees["geometries"])
        return geometry | {"geometries": [reduced(fault, detail, *member, computed) for member in members]}
    least = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}.get(geometry["type"])
    return geometry | {"coordinates": _reduced(fault, detail, geometry["coordinates"], degrees["coordinates"], least, computed)}


def _reduced(fault, detail, node, degrees, least, computed):
    if not isinstance(node[0], list):
        return _rounded(fault, detail, node, computed)
    kept = range(len(node))
    if least and not isinstance(node[0][0], list) and detail.tolerance is not None and fault != "ignores tolerance":
        kept = _kept(fault, detail, degrees, least)
    return [_reduced(fault, detail, node[at], degrees[at], least, computed) for at in kept]


def _kept(fault, detail, positions, least):
    """Which positions of a line or ring are sent."""
    pixels = [pixel(position, detail.level) for position in positions]
    tolerance = detail.tolerance * (2 if fault == "leaves out too much" else 1)
    left = shapely.simplify(shapely.linestrings(pixels), tolerance, preserve_topology=False)
    kept, at = [], 0
    for position in shapely.get_coordinates(left).tolist():
        at = next(i for i in range(at, len(pixels)) if list(pixels[i]) == position)
        kept.append(at)
    if fault == "leaves out ends" and len(kept) > 2:
        kept = kept[:-1]
    if fault == "collapses rings":
        least = 2
    return range(len(positions)) if len(kept) < least else kept


def _rounded(fault, detail, position, computed):
    precision = None if fault == "ignores precision" else detail.precision
    limits = [limit for limit in (precision, computed) if limit is not None]
    if not limits:
        return position
    is_too_much = precision == min(limits) and fault == "rounds too much"
    heights = [round(height) for height in position[2:]] if fault == "rounds heights" else position[2:]
    return [round(number, min(limits) - is_too_much) for number in position[:2]] + heights
