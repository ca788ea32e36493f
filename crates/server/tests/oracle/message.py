"""What is published without a key: it is pushed once to whoever looks there, and nobody keeps it."""

from feature import Feature, difference, number_of
from rights import is_without_digits


class Message:
    """A feature without id, a FeatureCollection, or any other JSON, with the number `v` of its publication."""

    def __init__(self, document, code):
        self.document, self.version = document, version_of(document)
        if document.get("type") == "FeatureCollection":
            self.features = [Feature(member, code) for member in document["features"]]
        elif document.get("type") == "Feature":
            self.features = [Feature(document, code)]
        else:
            self.features = []

    def shown(self, session):
        """Whether a client that looks there is sent it: what has no place is, and a collection with one member inside."""
        finite = all(feature.is_finite(session.code) for feature in self.features)
        return finite and not session.is_blind and self._is_granted(session.rights) and (
            not self.features or any(session.look.holds(feature) and _grants(session.rights, feature) for feature in self.features))

    def difference(self, got, code, look, rights):
        """Says where a received message is not this one, as a client is sent it, or nothing."""
        if not self._is_granted(rights):
            return f"{got} although only {rights.claim} is allowed"
        if not self.features:
            return None if got == self.document else f"{got} instead of {self.document}"
        inside = [look.nearly_holds(feature) and _grants(rights, feature) for feature in self.features]
        if not any(inside):
            return f"{got} is outside of {look}"
        if self.document["type"] == "Feature":
            return difference(got, self.features[0], code, look)
        is_whole = rights is None and look.members == "whole"
        kept = [feature for feature, is_inside in zip(self.features, inside) if is_whole or is_inside]
        return self._others_difference(got, rights, kept) or _members_difference(got, kept, code, look)

    def _others_difference(self, got, rights, kept):
        """About the members of a collection beside `features`. From who is limited they are withheld if what is not granted is cut
        out, as they speak of the whole."""
        rest, should = _without_features(got), _without_features(self.document)
        allowed = [should]
        if rights is not None and len(kept) < len(self.features):
            bare = {"type": "FeatureCollection"}
            # Nothing is said of members that are granted, but outside of the box.
            allowed = [should, bare] if all(_grants(rights, feature) for feature in self.features) else [bare]
        return None if rest in allowed else f"{rest} instead of {allowed}"

    def _is_granted(self, rights):
        return rights is None or bool(self.features) or is_without_digits(self.document)


def version_of(document):
    """The number of a publication, or None. Of a collection that was cut it stands in its members."""
    if not isinstance(document, dict):
        return None
    number = document.get("v", (document.get("properties") or {}).get("v"))
    if number is None and document.get("features"):
        return version_of(document["features"][0])
    return number_of(number)


def _grants(rights, feature):
    return rights is None or rights.grants(feature)


def _without_features(document):
    return {name: value for name, value in document.items() if name != "features"}


def _members_difference(got, features, code, look):
    if len(got["features"]) != len(features):
        return f"{len(got['features'])} members instead of {len(features)}: {got}"
    said = (difference(member, feature, code, look) for member, feature in zip(got["features"], features))
    return next(filter(None, said), None)
