"""A published feature: what it is in every coordinate system, by shapely and pyproj."""

import math
from functools import cache, cached_property

import shapely
from pyproj import Transformer
from shapely.geometry import shape

#: The system of what is published, if a channel has no other: longitude and latitude in degrees.
DATA = 4326
#: The systems that runs use, all with x (easting, longitude) first.
CODES = (4326, 3857, 2056, 3035, 3413, 32632)
#: Decimals that are sent of what was transformed.
DECIMALS = {code: 8 if code == DATA else 3 for code in CODES}
#: Half of the last digit, and as much again for two PROJs and more.
TOLERANCE = {code: 2 * 10.0**-decimals for code, decimals in DECIMALS.items()}


@cache
def transformer(source, target):
    """x and y of one system to x and y of another."""
    return Transformer.from_crs(source, target, always_xy=True)


class Feature:
    """A GeoJSON feature as it was published, in the system of its channel; never changed."""

    def __init__(self, document, code=DATA):
        self.document, self.code = document, code
        self._geometries, self._shapes = {code: document["geometry"]}, {}

    @cached_property
    def version(self):
        """The run's number of this publication, which no other has."""
        return number_of(self.document["properties"]["v"])

    @property
    def is_deletion(self):
        return self.document.get("deleted") is True

    @property
    def is_placeless(self):
        """Without geometry, and so inside every viewport."""
        return self.document["geometry"] is None

    def geometry(self, code):
        """Its geometry in another system, by way of DATA; what stands behind x and y stays. Coordinates may be infinite."""
        if code not in self._geometries:
            source = DATA if code != DATA else self.code
            self._geometries[code] = _mapped(self.geometry(source), lambda rows: _projected(rows, source, code))
        return self._geometries[code]

    def is_finite(self, code):
        return all(map(math.isfinite, _numbers(self.geometry(code))))

    def shape(self, code):
        """What shapely makes of it in another system, in two dimensions. Only for finite coordinates."""
        if code not in self._shapes:
            flat = _mapped(self.geometry(code), lambda rows: [row[:2] for row in rows])
            self._shapes[code] = shape(flat)
            shapely.prepare(self._shapes[code])
        return self._shapes[code]


def number_of(version):
    """The number of a publication, which may be written in letters: a for 0 to j for 9."""
    return int(version.translate(_DIGITS)) if isinstance(version, str) else version


def in_letters(number):
    """The same number without a digit."""
    return str(number).translate(_LETTERS)


def difference(got, feature, code, look):
    """Says where a received feature is not the published one, as a client that looks so is sent it in a system, or nothing."""
    rest = {name: value for name, value in got.items() if name != "geometry"}
    should = {name: value for name, value in look.cut(feature.document).items() if name != "geometry"}
    if rest != should:
        return f"members {rest} instead of {should}"
    return geometry_difference(got["geometry"] if "geometry" in got else "no member", feature, code, look)


def geometry_difference(got, feature, code, look):
    """Says where a received geometry is not what is sent of the published feature in a system, or nothing."""
    should = feature.geometry(code)
    if not look.detail.is_full and isinstance(got, dict) and should:
        return look.detail.fault(got, should, feature.geometry(DATA), None if code == feature.code else DECIMALS[code])
    if code == feature.code:
        return None if got == should else f"geometry {got} instead of {should}"
    if _without_numbers(got) != _without_numbers(should):
        return f"geometry {got} instead of {should}"
    pairs = zip(_numbers(got), _numbers(should))
    if any(not abs(a - b) <= TOLERANCE[code] for a, b in pairs):
        return f"geometry {got} instead of {should} in EPSG:{code}"
    return None


def _projected(rows, source, code):
    xs, ys = transformer(source, code).transform([row[0] for row in rows], [row[1] for row in rows])
    return [[x, y, *row[2:]] for x, y, row in zip(xs, ys, rows)]


def _mapped(geometry, change):
    """A geometry whose lists of positions were changed."""
    if geometry is None:
        return None
    if geometry["type"] == "GeometryCollection":
        return geometry | {"geometries": [_mapped(member, change) for member in geometry["geometries"]]}

    def deep(node):
        if node and not isinstance(node[0], list):
            return change([node])[0]
        if node and not isinstance(node[0][0], list):
            return change(node)
        return [deep(child) for child in node]

    return geometry | {"coordinates": deep(geometry["coordinates"])}


def _numbers(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _numbers(child)
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        yield node


def _without_numbers(node):
    if isinstance(node, dict):
        return {name: _without_numbers(child) for name, child in node.items()}
    if isinstance(node, list):
        return [_without_numbers(child) for child in node]
    return 0 if isinstance(node, (int, float)) and not isinstance(node, bool) else node


_DIGITS, _LETTERS = str.maketrans("abcdefghij", "0123456789"), str.maketrans("0123456789", "abcdefghij")
