"""How little of a geometry may be sent: decimals, and positions of lines and rings that are left out."""

import math
from dataclasses import dataclass
from decimal import Decimal

import shapely

#: Where maps in Web Mercator end, in degrees.
LATITUDE = 85.0511287798
#: Width of a pixel at zoom level 0, in metres of EPSG:3857.
PIXEL = 2 * math.pi * 6378137 / 256


@dataclass(frozen=True)
class Detail:
    """What is asked for, as in an action `view` of a plan; None where nothing is."""

    precision: int | None = None
    tolerance: float | None = None
    min_move: float | None = None
    zoom: float | None = None

    @property
    def level(self):
        """The whole zoom level at which pixels count, where some do."""
        return None if self.tolerance is None and self.min_move is None else math.ceil(self.zoom)

    @property
    def asked(self):
        """What has everything sent again if it is another."""
        return self.precision, self.tolerance, self.min_move, self.level

    @property
    def is_full(self):
        return self.precision is None and self.tolerance is None

    def fault(self, got, should, degrees, computed):
        """Says where a geometry is not what may be sent of `should`, or nothing.

        `degrees` is the same in longitude and latitude, in which distances begin; `computed` is how many decimals are sent in a system
        that is not that of the payload, and None in that.
        """
        if got["type"] != should["type"] or set(got) != set(should):
            return f"geometry {got} instead of {should}"
        if got["type"] == "GeometryCollection":
            members = zip(got["geometries"], should["geometries"], degrees["geometries"], strict=True)
            return next(filter(None, (self.fault(*member, computed) for member in members)), None)
        said = self._walk(_depth(got["type"]), got["type"], got["coordinates"], should["coordinates"], degrees["coordinates"], computed)
        return said and f"{said}: {got} for {should} with {self}"

    def _walk(self, depth, kind, got, should, degrees, computed):
        if depth == 0:
            return None if self._is_sent_as(got, should, computed) else f"position {got} for {should}"
        if depth == 1 and "Point" not in kind and self.tolerance is not None:
            return self._line_fault(got, should, degrees, computed, least=4 if "Polygon" in kind else 2)
        if len(got) != len(should):
            return f"{len(got)} parts or positions for {len(should)}"
        parts = zip(got, should, degrees)
        return next(filter(None, (self._walk(depth - 1, kind, *part, computed) for part in parts)), None)

    def _is_sent_as(self, got, should, computed):
        return len(got) == len(should) and got[2:] == should[2:] and all(
            self._is_rounded(a, b, computed) for a, b in zip(got[:2], should[:2]))

    def _is_rounded(self, got, should, computed):
        got, exact = Decimal(repr(got)), Decimal(repr(should))
        if computed is None and (self.precision is None or -exact.as_tuple().exponent <= self.precision):
            return got == exact
        decimals = min(limit for limit in (self.precision, computed) if limit is not None)
        # Two PROJs may differ, and what is rounded may have been rounded before.
        slack = 0 if computed is None else Decimal(15).scaleb(-computed - 1)
        return -got.normalize().as_tuple().exponent <= decimals and abs(got - exact) <= Decimal(5).scaleb(-decimals - 1) + slack

    def _line_fault(self, got, should, degrees, computed, least):
        if len(got) < min(least, len(should)):
            return f"{len(got)} positions of a line or ring"
        kept, at = [], 0
        for position in got:
            while at < len(should) and not self._is_sent_as(position, should[at], computed):
                at += 1
            if at == len(should):
                return f"position {position}, which is none of it or in another order,"
            kept.append(at)
            at += 1
        if kept[0] != 0 or not self._is_sent_as(got[-1], should[-1], computed):
            return "an end that is missing"
        kept[-1] = len(should) - 1
        return self._distance_fault([pixel(position, self.level) for position in degrees], kept, least)

    def _distance_fault(self, pixels, kept, least):
        left_out = _furthest(pixels, [pixels[at] for at in kept])
        if left_out > self.tolerance + self._slack():
            return f"{left_out} pixels were left out"
        if least == 2 and len(kept) > 2 and _furthest(pixels, [pixels[0], pixels[-1]]) < self.tolerance * 0.9:
            return f"{len(kept)} positions, of which two would do,"
        return None

    def _slack(self):
        """In pixels: positions that are one after rounding may have been taken for each other."""
        return 1e-6 if self.precision is None else 1e-6 + 2e6 * 10.0 ** -self.precision / (PIXEL / 2**self.level)


def _furthest(pixels, line):
    return shapely.distance(shapely.points(pixels), shapely.linestrings(line)).max()


def pixel(position, level):
    """A position in longitude and latitude, in pixels of a map at a zoom level."""
    longitude, latitude = position[0], max(-LATITUDE, min(LATITUDE, position[1]))
    y = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))
    return math.radians(longitude) * 6378137 / (PIXEL / 2**level), y * 6378137 / (PIXEL / 2**level)


def _depth(kind):
    """How deep positions are in the coordinates of a geometry."""
    return {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}[kind]
