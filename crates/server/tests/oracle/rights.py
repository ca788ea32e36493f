"""To which part of the world the bearer of a token is limited: the claim `geo`."""

import json
import re
from functools import cached_property

import shapely
from shapely.affinity import translate
from shapely.geometry import shape

from feature import DATA
from view import MARGIN, TooClose


class Rights:
    """What a claim grants. Everything is in longitude and latitude, where edges are straight."""

    def __init__(self, claim):
        self.claim = claim

    def grants(self, feature):
        """Whether all of a feature's geometry is within. Raises TooClose, but for points and polygons whose edges go along
        meridians and parallels: there is nothing to compute, and so what is on an edge is within.

        What has no geometry is granted if no coordinate can be in it.
        """
        if feature.is_placeless:
            return feature.is_deletion or is_without_digits(feature.document)
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


def is_without_digits(document):
    return re.search(r"\d", json.dumps(document, ensure_ascii=False)) is None
