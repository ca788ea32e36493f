"""One client's map of one channel, built from nothing but what it is told, by strict rules."""

from dataclasses import dataclass

import sentinel
from feature import difference, geometry_difference, number_of
from truth import id_of, key_of

REASONS = ("moved", "deleted", "expired", "viewport", "filtered", "access")


class Fault(Exception):
    """The server broke a rule."""


@dataclass(frozen=True)
class Event:
    """A push: `enter`, `update` and `leave` of a tracked subscription, `message` for what has no key or is not tracked, and
    `gap` where messages may have been missed. A leave of the MapLibre form has no reason.
    """

    kind: str
    key: object = None
    content: object = None
    reason: str | None = None


class Ledger:
    """What a client has on its map. An enter of a known key, an update or leave of an unknown one is a fault."""

    def __init__(self, expectations):
        self.features, self.versions = {}, {}
        #: What was told since the last look: events, and numbers of messages without a key.
        self.log, self.messages = [], []
        self._expectations = expectations

    def take(self, event):
        """Enters what was pushed. Raises Fault."""
        key = key_of(event.key)
        if event.kind == "message":
            self._take_message(event)
            return
        elif event.kind == "gap":
            raise Fault("a gap on a tracked subscription")
        elif event.kind == "leave":
            self._known(event, key)
            if event.reason not in REASONS:
                raise Fault(f"leave of {key} for the reason {event.reason}")
            del self.features[key]
        else:
            if event.kind == "update":
                self._known(event, key)
            elif key in self.features:
                raise Fault(f"enter of {key}, which is there already: {event.content}")
            self._take_content(event, key)
        self.log.append((event.kind, key, event.reason))

    def differs(self, got, feature, code, look):
        """Says where what is on the map differs from a feature, as a client that looks so is sent it."""
        return difference(got, feature, code, look)

    def _known(self, event, key):
        if key not in self.features:
            raise Fault(f"{event.kind} of {key}, which is not there")

    def _take_content(self, event, key):
        content = event.content
        if not isinstance(content, dict) or content.get("type") != "Feature":
            raise Fault(f"{event.kind} of {key} with the content {content}")
        version = number_of((content.get("properties") or {}).get("v"))
        if version is None:
            raise Fault(f"{event.kind} of {key} with a content that nobody published: {content}")
        if version < self.versions.get(key, 0):
            raise Fault(f"{event.kind} of {key} goes back from {self.versions[key]} to {version}")
        self._check(event.kind, key, content, version)
        self.features[key], self.versions[key] = content, version

    def _check(self, kind, key, content, version):
        said = self._expectations.content_fault(key, content, version, self.differs)
        if said:
            raise Fault(f"{kind} of {key}: {said}")

    def _take_message(self, event):
        if isinstance(event.content, dict) and event.content.get("id") is not None:
            raise Fault(f"a message for what has a key: {event.content}")
        message, said = self._expectations.message_fault(event.content)
        if said:
            raise Fault(f"message: {said}")
        if sentinel.is_one(message.version):
            self.versions[sentinel.NOTE] = message.version
        else:
            self.messages.append(message.version)


class MapLibreLedger(Ledger):
    """The same for a client that hands `GeoJSONSourceDiff`s to MapLibre, which knows ids by type and value, and of a
    feature only its id, geometry and properties."""

    def __init__(self, expectations, track_key=None):
        """`track_key`: the property that the page calls `promoteId`."""
        super().__init__(expectations)
        self._ids, self._track_key = {}, track_key

    def take_diff(self, diff):
        """Enters a diff in MapLibre's order: remove, add, update. Raises Fault."""
        if unknown := set(diff) - {"remove", "add", "update"}:
            raise Fault(f"a diff with {unknown}: {diff}")
        added = {key_of(id_of(feature, self._track_key)) for feature in diff.get("add", [])}
        for feature_id in diff.get("remove", []):
            self._same_id(feature_id)
            if key_of(feature_id) in added:
                self._known(Event("remove"), key_of(feature_id))
            else:
                self.take(Event("leave", feature_id))
        replaced = {key_of(feature_id) for feature_id in diff.get("remove", [])} & added
        for feature in diff.get("add", []):
            feature_id = id_of(feature, self._track_key)
            key = key_of(feature_id)
            self.take(Event("update" if key in replaced else "enter", feature_id, feature))
            self._ids[key] = feature_id
        for change in diff.get("update", []):
            self._same_id(change["id"])
            self.take(Event("update", change["id"], self._changed(change)))

    def differs(self, got, feature, code, look):
        document = look.cut(feature.document)
        if key_of(got.get("id")) != key_of(document.get("id")):
            return f"id {got.get('id')} instead of {document.get('id')}"
        if (got.get("properties") or {}) != (document["properties"] or {}):
            return f"properties {got.get('properties')} instead of {document['properties']}"
        return geometry_difference(got.get("geometry"), feature, code, look)

    def take(self, event):
        if event.kind == "leave" and event.reason is None:
            key = key_of(event.key)
            self._known(event, key)
            del self.features[key], self._ids[key]
            self.log.append(("leave", key, None))
        else:
            super().take(event)

    def _same_id(self, feature_id):
        known = self._ids.get(key_of(feature_id), feature_id)
        if type(known) is not type(feature_id) or known != feature_id:
            raise Fault(f"id {feature_id!r} for what was added as {known!r}")

    def _changed(self, change):
        """A feature as MapLibre makes it of a known one and a change."""
        feature = dict(self.features.get(key_of(change["id"]), {}))
        if change.get("newGeometry"):
            feature["geometry"] = change["newGeometry"]
        properties = {} if change.get("removeAllProperties") else dict(feature.get("properties") or {})
        for name in change.get("removeProperties", []):
            properties.pop(name, None)
        properties.update({pair["key"]: pair["value"] for pair in change.get("addOrUpdateProperties", [])})
        return feature | {"properties": properties}
