"""What a client of the fake is shown, and wrongly if the fake is told so."""

import shapely
from shapely.geometry import shape

from fake_detail import reduced
from feature import DATA, DECIMALS
from look import Look
from rights import Rights, is_without_digits
from view import View


class Sight:
    """A client's look, system and rights."""

    def __init__(self, fault, rights):
        self.fault, self.look, self.code = fault, Look(), DATA
        self.rights = Rights(_without_holes(rights.claim)) if rights and fault == "fills holes" else rights

    def shows(self, feature):
        return self.reason(feature) is None

    def reason(self, feature):
        """Why a feature is not shown, or None."""
        if not feature.is_finite(self.code) or not self._boxes(feature):
            return "moved"
        if not self._grants(feature):
            return "moved" if self.fault == "says moved for all reasons" else "access"
        if not self._wants(feature):
            return "moved" if self.fault == "says moved for all reasons" else "filtered"
        return None

    @property
    def is_blind(self):
        is_blind = self.rights is not None and self.rights.needs_view and self.look.view is None
        return is_blind and self.fault != "sends without a viewport"

    def refuses(self, action):
        """Whether a viewport is not allowed."""
        if self.rights is None or self.fault == "allows all viewports" or action["box"] is None:
            return False
        claim = self.rights.claim
        if self.fault == "allows all areas":
            return Rights({name: limit for name, limit in claim.items() if name != "max_area"}).refuses(action)
        return self.rights.refuses(action)

    def content(self, feature):
        """A feature as it is sent."""
        geometry = feature.geometry(self.code)
        if geometry and geometry["type"] == "Point":
            if self.fault == "swaps axes" and self.code == 3035:
                geometry = geometry | {"coordinates": geometry["coordinates"][1::-1]}
            if self.fault == "drops heights":
                geometry = geometry | {"coordinates": geometry["coordinates"][:2]}
        computed = None if self.code == feature.code else DECIMALS[self.code]
        geometry = reduced(self.fault, self.look.detail, geometry, feature.geometry(DATA), computed)
        document = feature.document if self.fault == "sends all fields" else self.look.cut(feature.document)
        return document | {"geometry": geometry}

    def message(self, document, features):
        """What has no key, as it is sent, or None."""
        if not features:
            is_hidden = self.rights and self.fault != "tells everybody notes" and not is_without_digits(document)
            return None if is_hidden or self.is_blind else document
        inside = [feature for feature in features if self.shows(feature)]
        if not inside:
            return None
        if "features" not in document:
            return self.content(inside[0])
        is_whole = self.rights is None and self.look.members == "whole"
        if self.fault in ("trims no collections", "trims all collections"):
            is_whole = self.fault == "trims no collections"
        kept = features if is_whole else inside
        if self.rights and len(kept) < len(features) and self.fault != "keeps members of cut collections":
            document = {"type": "FeatureCollection"}
        return document | {"features": [self.content(feature) for feature in kept]}

    def _boxes(self, feature):
        view = self.look.view
        if view is None or feature.is_placeless:
            return True
        if not feature.is_finite(view.code):
            return False
        left, bottom, right, top = view.box
        feature_shape = feature.shape(view.code)
        if self.fault == "open edges" and feature_shape.geom_type == "Point":
            return left < feature_shape.x < right and bottom < feature_shape.y < top
        if self.fault == "tests vertices only":
            return any(left <= x <= right and bottom <= y <= top for x, y in shapely.get_coordinates(feature_shape))
        return view.nearly_holds(feature)

    def _wants(self, feature):
        properties = feature.document["properties"] or {}
        match self.fault:
            case "ignores properties":
                return True
            case "compares written numbers by value" if self.look.in_words:
                return all(name in properties and (str(properties[name]) in wish or _value(properties[name]) in map(_value, wish))
                           for name, wish in self.look.properties.items()) or self.look.wants(feature)
            case "opens ranges":
                ends = ((properties.get(name), wish) for name, wish in self.look.properties.items() if isinstance(wish, dict))
                return self.look.wants(feature) and not any(value in (wish.get("min"), wish.get("max")) for value, wish in ends)
            case "takes what is absent for null":
                absent = [name for name, wish in self.look.properties.items() if name not in properties and wish is None]
                if absent and len(absent) == len(self.look.properties):
                    return True
        return self.look.wants(feature)

    def _grants(self, feature):
        if self.rights is None or self.fault == "ignores rights":
            return True
        if self.is_blind:
            return False
        if feature.is_placeless:
            return self.fault == "tells everybody what is nowhere" or self.rights.grants(feature)
        feature_shape, within = feature.shape(DATA), self.rights.claim.get("within")
        match self.fault if within else None:
            case "grants what touches":
                return shape(within).intersects(feature_shape)
            case "grants vertices":
                return self.rights.area.covers(shapely.multipoints(shapely.get_coordinates(feature_shape)))
            case "grants no edges":
                return self.rights.nearly_grants(feature) and not shape(within).boundary.intersects(feature_shape)
            case "ends at the antimeridian":
                return shapely.union_all(shape(within)).covers(feature_shape)
            case "grants within one polygon only":
                return any(part.covers(feature_shape) for part in getattr(shape(within), "geoms", [shape(within)]))
        return self.rights.nearly_grants(feature)


def _without_holes(claim):
    if "within" not in claim or claim["within"]["type"] != "Polygon":
        return claim
    return claim | {"within": {"type": "Polygon", "coordinates": claim["within"]["coordinates"][:1]}}


def _value(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
