"""Random places, boxes and geometries, from a random generator that is handed in."""

import json
import math

import shapely
from pyproj import CRS
from shapely.geometry import Point

from feature import CODES, DATA, Feature, transformer
from view import HALF_WORLD

#: Places on which boxes are centred, in longitude and latitude: where the systems are at home, and where they are not.
#: Around the last two EPSG:32632 has no finite coordinates.
CENTRES = ((8.2, 46.8), (7.45, 46.95), (10.0, 53.5), (2.3, 48.8), (20.0, 67.0), (-3.7, 40.4), (9.0, 60.0))
FAR = ((-100.0, 40.0), (139.7, 35.7), (-40.0, 72.0), (179.3, 52.0), (-179.2, -16.5), (20.0, -30.0), (0.0, 82.0), (30.0, 87.5), (99.0, 0.5),
       (-81.0, -0.5))
#: Far places on which boxes are centred, by system. That of EPSG:3413 may have the pole inside.
BOXED_FAR = {4326: FAR[:3], 3857: FAR[:3], 3413: (FAR[2], FAR[6], FAR[7])}


def box(random, code, near=None):
    """A box in a system, from some kilometres to some thousand, around a place that is near or any; None if the system
    has no coordinates there, or the box looks like a mistake."""
    if code in (4326, 3857) and random.random() < 0.06:
        return (-180.0, -90.0, 180.0, 90.0) if code == DATA else (-20037508, -20037508, 20037508, 20037508)
    longitude, latitude = near or random.choice(CENTRES + BOXED_FAR.get(code, ()))
    size = 10 ** random.uniform(3.7, 6.3)
    if code == DATA:
        x, y, half = longitude, latitude, size / 111_000 / 2
        half_height = min(half * random.uniform(0.5, 1), 30)
        limits = (max(x - half, -180), max(y - half_height, -90), min(x + half, 180), min(y + half_height, 90))
        return tuple(round(limit, random.choice((0, 2, 6)) if half > 2 else 6) for limit in limits)
    x, y = transformer(DATA, code).transform(longitude, latitude)
    if not math.isfinite(x):
        return None
    half, half_height = size / 2, size / 2 * random.uniform(0.5, 1)
    limits = (x - half, y - half_height, x + half, y + half_height)
    if code in (2056, 3035, 32632) and _looks_swapped(limits, code):
        return None
    return tuple(map(int, limits) if random.random() < 0.7 else (round(limit, 3) for limit in limits))


def _looks_swapped(limits, code):
    """Whether a box is far from the area that its system is for, but would be near with its axes the other way around: such a
    box may be refused."""
    left, bottom, right, top = limits
    corners = ((left, bottom), (right, top))
    return any(_is_near(code, y, x, 5) for x, y in corners) and not all(_is_near(code, x, y, 0) for x, y in corners)


def _is_near(code, x, y, degrees):
    longitude, latitude = transformer(code, DATA).transform(x, y)
    west, south, east, north = CRS(code).area_of_use.bounds
    return west - degrees < longitude < east + degrees and south - degrees < latitude < north + degrees


def box_across(random, code):
    """A box across the antimeridian: left > right, or beyond the end of the world as maps say it that go round it."""
    west, east = random.choice((180.0, round(random.uniform(150, 179.5), 2))), round(random.uniform(-179.5, -140), 2)
    bottom = round(random.uniform(-80, 60), 2)
    left, right = random.choice(((west, east), (west, east + 360), (west - 360, east), (west + 360, east + 720)))
    limits = (left, bottom, right, round(bottom + random.uniform(5, 25), 2))
    if code == DATA:
        return limits
    width = HALF_WORLD[code] / 180
    _, low = transformer(DATA, code).transform(0, bottom)
    _, high = transformer(DATA, code).transform(0, limits[3])
    return (round(left * width, 2), round(low, 2), round(right * width, 2), round(high, 2))


def place(random, view=None):
    """A position: mostly in or around a view, else in Europe or anywhere."""
    if view is not None and random.random() < 0.75:
        left, bottom, right, top = view.box
        if left > right:
            right += 2 * HALF_WORLD[view.code]
        x = random.uniform(left - (right - left) * 0.6, right + (right - left) * 0.6)
        y = random.uniform(bottom - (top - bottom) * 0.6, top + (top - bottom) * 0.6)
        longitude, latitude = transformer(view.code, DATA).transform(x, y) if view.code != DATA else (x, y)
        longitude = (longitude + 180) % 360 - 180
        if math.isfinite(longitude) and abs(latitude) < 88:
            return longitude, latitude
    if random.random() < 0.7:
        longitude, latitude = random.choice(CENTRES)
        return longitude + random.gauss(0, 4), latitude + random.gauss(0, 3)
    if random.random() < 0.5:
        longitude, latitude = random.choice(FAR)
        return max(-180, min(180, longitude + random.gauss(0, 2))), latitude + random.gauss(0, 2)
    return random.uniform(-180, 180), random.uniform(-85, 88)


def place_around(random, limits):
    """A position in or around a range of longitudes and latitudes."""
    left, bottom, right, top = limits
    x = random.uniform(left - (right - left) * 0.2, right + (right - left) * 0.2)
    return max(-180, min(180, x)), max(-85, min(85, random.uniform(bottom - (top - bottom) * 0.2, top + (top - bottom) * 0.2)))


def within_world(random, limits):
    """A range of longitudes and latitudes, or a part of it if it goes beyond the end of the world."""
    left, bottom, right, top = limits
    parts = [(max(left - turn, -180.0), min(right - turn, 180.0)) for turn in (-360, 0, 360)]
    left, right = random.choice([(a, b) for a, b in parts if a < b])
    return left, bottom, right, top


def line_between(random, area, limits):
    """A line whose positions are in an area, mostly, which it may leave between them."""
    def position():
        places = (place_around(random, limits) for _ in range(20))
        return list(next((place for place in places if area.covers(Point(place))), place_around(random, limits)))

    return {"type": "LineString", "coordinates": [position() for _ in range(random.randint(2, 3))]}


def edge(random, limits):
    """A position exactly on the edge of a box in the system of the data."""
    left, bottom, right, top = limits
    if random.random() < 0.3:
        return random.choice((left, right)), random.choice((bottom, top))
    if random.random() < 0.5:
        return random.choice((left, right)), round(random.uniform(bottom, top), 6)
    return round(random.uniform(left, right), 6), random.choice((bottom, top))


def geometry(random, longitude, latitude):
    """A valid geometry of any type around a place."""
    kind = random.choice(("Point",) * 6 + ("LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
                                           "GeometryCollection"))
    return _geometry(random, kind, longitude, latitude, 10 ** random.uniform(-2.5, 0.9))


def _geometry(random, kind, x, y, reach):
    def near():
        return _position(random, x + random.gauss(0, reach), y + random.gauss(0, reach))

    def others(make, most=3):
        return [make() for _ in range(random.randint(1, most))]

    match kind:
        case "Point":
            return {"type": kind, "coordinates": _position(random, x, y)}
        case "LineString" if random.random() < 0.3:
            return {"type": kind, "coordinates": _winding(random, x, y, reach)}
        case "LineString" | "MultiPoint":
            return {"type": kind, "coordinates": [near(), near(), *others(near)]}
        case "MultiLineString":
            return {"type": kind, "coordinates": others(lambda: [near(), near()])}
        case "Polygon":
            return {"type": kind, "coordinates": _rings(random, x, y, reach)}
        case "MultiPolygon":
            return {"type": kind, "coordinates": [_rings(random, x + 6 * reach * i, y, reach) for i in range(2)]}
        case "GeometryCollection":
            kinds = random.sample(("Point", "LineString", "Polygon", "MultiPoint"), 2)
            return {"type": kind, "geometries": [_geometry(random, one, x, y, reach) for one in kinds]}


def _winding(random, x, y, reach):
    """A line of many positions along a straight one, more or less."""
    steps, width = random.randint(5, 20), reach * 10 ** random.uniform(-3, -0.5)
    return [_position(random, x + reach * (2 * at / steps - 1) + random.gauss(0, width), y + random.gauss(0, width)) for at in range(steps)]


def _rings(random, x, y, reach):
    """A star-shaped ring around a centre, and now and then a hole that is surely within it."""
    corners = sorted(random.uniform(0, 2 * math.pi) for _ in range(random.randint(0, 4)))
    angles = sorted([*corners, 0.3, 2.4, 4.5])
    ring = [_position(random, x + far * math.cos(a), y + far * math.sin(a))
            for a in angles for far in [reach * random.uniform(1, 2)]]
    rings = [[*ring, ring[0]]]
    if random.random() < 0.4:
        hole = [_position(random, x + reach * 0.3 * math.cos(a), y + reach * 0.3 * math.sin(a)) for a in (0, 4.2, 2.1)]
        rings.append([*hole, hole[0]])
    return rings


def _position(random, x, y):
    digits = random.choice((2, 5, 6, 7))
    position = [round(max(-180.0, min(180.0, x)), digits), round(max(-89.0, min(89.0, y)), digits)]
    return position + [round(random.uniform(0, 3000), 1)] if random.random() < 0.15 else position


def moved_into(code, geometry):
    """A geometry in another system, in its units, rounded to millimetres."""
    return json.loads(json.dumps(Feature({"geometry": geometry}).geometry(code)), parse_float=lambda text: round(float(text), 3))


def is_usable(feature):
    """Whether shapely and two versions of PROJ are sure to agree on a feature: its geometry is valid in every system, and
    where coordinates end to be finite is not near."""
    if feature.is_placeless:
        return True
    for code in CODES:
        finite = feature.is_finite(code)
        others = (Feature({"geometry": _moved(feature.geometry(DATA), *by)}) for by in SHIFTS)
        if any(other.is_finite(code) != finite for other in others):
            return False
        if finite and not shapely.is_valid(feature.shape(code)):
            return False
    return True


def _moved(geometry, x, y):
    if geometry["type"] == "GeometryCollection":
        return geometry | {"geometries": [_moved(member, x, y) for member in geometry["geometries"]]}

    def deep(node):
        return [node[0] + x, node[1] + y, *node[2:]] if not isinstance(node[0], list) else [deep(child) for child in node]

    return geometry | {"coordinates": deep(geometry["coordinates"])}


#: In degrees.
SHIFTS = ((0.7, 0), (-0.7, 0), (0, 0.7), (0, -0.7))
