"""To which part of the world the bearer of a token is limited: the claim `geo`."""

import json
import re
from functools import cached_property

import shapely
from shapely.affinity import translate
from shapely.geometry import shape

from feature import DATA, transformer
from properties import has
from view import MARGIN, TooClose, View

#: Members of a claim that limit places.
PLACES = {"within", "max_area", "zoom"}
#: A cylindrical projection of WGS 84 in which areas are what they are on the ellipsoid, in metres.
EQUAL_AREA = "+proj=cea +ellps=WGS84 +lon_0=0 +lat_ts=0"

class Rights:
    """What a claim grants. Everything is in longitude and latitude, where edges are straight."""

    def __init__(self, claim):
        self.claim = claim

    def grants(self, feature):
        """Whether a feature has the properties, and all of its geometry is within. Raises TooClose, but for points and polygons whose
        edges go along meridians and parallels: there is nothing to compute, and so what is on an edge is within.

        Where places are limited, in whichever way, what has no geometry is granted if no coordinate can be in it.
        """
        if feature.is_deletion:
            return True
        if not has(feature.document["properties"], self.claim.get("properties", {}), in_words=False):
            return False
        if feature.is_placeless:
            return not PLACES & set(self.claim) or is_without_digits(feature.document)
        if "within" not in self.claim:
            return True
        feature_shape = feature.shape(DATA)
        exact, larger, smaller = (area.covers(feature_shape) for area in self._areas)
        is_exact = self._is_parallel and feature.code == DATA and feature_shape.geom_type in ("Point", "MultiPoint")
        if larger != smaller and not is_exact:
            raise TooClose(f"{feature.document} and {self.claim}")
        return exact

    def nearly_grants(self, feature):
        try:
            return self.grants(feature)
        except TooClose:
            return True

    @property
    def needs_view(self):
        """Whether nothing is sent without a viewport."""
        return bool({"max_area", "zoom"} & set(self.claim))

    def refuses(self, action):
        """Whether a viewport is not allowed. Raises TooClose if two could differ about its area."""
        if "zoom" in self.claim:
            least, most = self.claim["zoom"]
            if not least <= action.get("zoom", least - 1) <= most:
                return True
        if "max_area" not in self.claim:
            return False
        share = _area(View(tuple(action["box"]), action["code"])) / self.claim["max_area"]
        if 0.99 < share < 1.01:
            raise TooClose(f"the area of {action} and {self.claim}")
        return share > 1

    @property
    def bounds(self):
        """Left, bottom, right and top of it all, in degrees; left and right may be beyond the end of the world."""
        return shape(self.claim["within"]).bounds

    @property
    def area(self):
        """All that is granted; the world goes on where it ends."""
        return self._areas[0]

    @cached_property
    def _areas(self):
        """What is covered, and the same a little larger and smaller. The world goes on where it ends: that is no edge."""
        within = shape(self.claim["within"])
        polygons = within.geoms if within.geom_type == "MultiPolygon" else [within]
        turned = [translate(polygon, turn * 360.0) for polygon in polygons for turn in (-2, -1, 0, 1, 2)]
        exact = shapely.unary_union(turned)
        margin = MARGIN[True]
        areas = exact, exact.buffer(margin, join_style="mitre"), exact.buffer(-margin, join_style="mitre")
        for area in areas:
            shapely.prepare(area)
        return areas

    @cached_property
    def _is_parallel(self):
        within = self.claim["within"]
        polygons = within["coordinates"] if within["type"] == "MultiPolygon" else [within["coordinates"]]
        rings = [ring for polygon in polygons for ring in polygon]
        return all(a[0] == b[0] or a[1] == b[1] for ring in rings for a, b in zip(ring, ring[1:]))


def _area(view):
    """In square kilometres, of a box in EPSG:4326 or EPSG:3857, by a projection that keeps areas."""
    corners = ((left, bottom, right, top) for left, bottom, right, top in view.parts)
    parts = (transformer(view.code, DATA).transform((left, right), (bottom, top)) for left, bottom, right, top in corners)
    edges = (transformer(DATA, EQUAL_AREA).transform(longitudes, latitudes) for longitudes, latitudes in parts)
    return sum((xs[1] - xs[0]) * (ys[1] - ys[0]) for xs, ys in edges) / 1e6


def is_without_digits(document):
    return re.search(r"\d", json.dumps(document, ensure_ascii=False)) is None
