"""Random parts of the world to which a token may limit its bearer."""

import math

from shapes import CENTRES, FAR


def area(random):
    """A Polygon or MultiPolygon in longitude and latitude."""
    x, y = random.choice(CENTRES * 3 + FAR)
    x, y = x + random.gauss(0, 2), max(-60.0, min(60.0, y + random.gauss(0, 2)))
    width, height = random.uniform(2, 15), random.uniform(1.5, 9)
    make = random.choice((_box, _box, _frame, _frame, _star, _star, _overlapping, _side_by_side, _apart, _across, _cut))
    return make(random, x, y, width, height)


def _box(_, x, y, width, height):
    return _polygon(_ring(x - width, y - height, x + width, y + height))


def _frame(_, x, y, width, height):
    inner = _ring(x - width * 0.6, y - height * 0.6, x + width * 0.6, y + height * 0.6)
    return {"type": "Polygon", "coordinates": [_ring(x - width, y - height, x + width, y + height), inner[::-1]]}


def _star(random, x, y, width, height):
    """With a hole in it, now and then. No gap between two corners is as wide as a half turn, so that it does not cross itself."""
    angles = sorted([0.3, 2.4, 4.5, *(random.uniform(0, 2 * math.pi) for _ in range(random.randint(0, 8)))])
    corners = [(random.uniform(1, 2), angle) for angle in angles]
    ring = [_at(x + width * far * math.cos(angle), y + height * far * math.sin(angle)) for far, angle in corners]
    hole = [_at(x + width * 0.45 * math.cos(angle), y + height * 0.45 * math.sin(angle)) for angle in (0, 4.2, 2.1)]
    rings = [[*ring, ring[0]]] + [[*hole, hole[0]]] * (random.random() < 0.7)
    return {"type": "Polygon", "coordinates": rings}


def _overlapping(_, x, y, width, height):
    return _polygons(_ring(x - width, y - height, x + width / 2, y + height), _ring(x, y - height / 2, x + width, y + 1.3 * height))


def _side_by_side(_, x, y, width, height):
    """Their common edge is none of what they cover together, although it is longer on one side."""
    middle = round(x, 2)
    return _polygons(_ring(x - width, y - height, middle, y + height), _ring(middle, y - height / 3, x + width, y + 2 * height))


def _apart(_, x, y, width, height):
    return _polygons(_ring(x - width, y - height, x - width / 4, y + height), _ring(x + width / 4, y - height, x + width, y + height))


def _across(random, _, y, width, height):
    """Across the antimeridian, with longitudes beyond the end of the world."""
    middle = random.choice((180, -180))
    return _polygon(_ring(middle - width, y - height, middle + width, y + height))


def _cut(_random, _, y, width, height):
    """The same, cut there."""
    return _polygons(_ring(180 - width, y - height, 180, y + height), _ring(-180, y - height, -180 + width, y + height))


def _polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


def _polygons(*rings):
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def _ring(left, bottom, right, top):
    corners = _at(left, bottom), _at(right, bottom), _at(right, top), _at(left, top)
    return [*corners, corners[0]]


def _at(x, y):
    return [round(x, 2), round(max(-85.0, min(85.0, y)), 2)]
