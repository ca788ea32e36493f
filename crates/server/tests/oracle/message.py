"""What is published without a key: it is pushed once to whoever looks there, and nobody keeps it."""

from feature import Feature, difference


class Message:
    """A feature without id, a FeatureCollection, or any other JSON, with the number `v` of its publication."""

    def __init__(self, document, code):
        self.document = document
        if document.get("type") == "FeatureCollection":
            self.features = [Feature(member, code) for member in document["features"]]
        elif document.get("type") == "Feature":
            self.features = [Feature(document, code)]
        else:
            self.features = []

    def shown(self, session):
        """Whether a client that looks there is sent it: what has no place is, and a collection with one member inside."""
        if not self.features:
            return True
        finite = all(feature.is_finite(session.code) for feature in self.features)
        return finite and (session.view is None or any(map(session.view.holds, self.features)))

    def nearly_shown(self, view):
        return not self.features or view is None or any(map(view.nearly_holds, self.features))

    def difference(self, got, code):
        """Says where a received message is not this one in a system, or nothing."""
        if not self.features:
            return None if got == self.document else f"{got} instead of {self.document}"
        if self.document["type"] == "Feature":
            return difference(got, self.features[0], code)
        rest = {name: value for name, value in got.items() if name != "features"}
        if rest != {name: value for name, value in self.document.items() if name != "features"}:
            return f"{got} instead of {self.document}"
        if len(got["features"]) != len(self.features):
            return f"{len(got['features'])} members instead of {len(self.features)}"
        said = [difference(member, feature, code) for member, feature in zip(got["features"], self.features)]
        return next(filter(None, said), None)


def version_of(document):
    """The number of a publication without a key, or None."""
    if not isinstance(document, dict):
        return None
    return document.get("v", (document.get("properties") or {}).get("v"))
