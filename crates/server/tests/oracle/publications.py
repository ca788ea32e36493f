"""Random publications: features with a key, deletions, and what has no key."""

from random import Random

import shapes
import wishes
from feature import CODES, DATA, in_letters
from publisher import tombstone
from truth import key_of

#: Keys as they stand in features; a number and the same number as a string are one key.
KEYS = (*range(1, 9), 9007199254740993, *"abcdefgh", "zürich/1", "k=1")
#: One that cannot be said to the server itself, where a key is one word, but written into Redis.
WRITTEN_KEY = "bus 12"


def published(action):
    """The document that an action publishes. Padding does not stand in plans; it hardly compresses."""
    document, padding = action["document"], action.get("padding")
    if not padding:
        return document
    properties = document["properties"]
    return document | {"properties": properties | {"padding": Random(properties["v"]).randbytes(padding // 2).hex()}}


class Publications:
    """Makes actions of publishers, and tells the draft's truth of them."""

    def __init__(self, draft, ways, without):
        self._draft, self._random, self._ways = draft, draft.random, ways
        self._tells = 8 * ("tell" not in without)
        self._keys = KEYS[: 4 + draft.seed % 16] + (WRITTEN_KEY,) * ("redis" in ways)

    def any(self):
        kinds = {self.put: 60, self.delete: 15, self.tell: self._tells, self.tell_without_key: 10}
        return self._random.choices(list(kinds), kinds.values())[0]()

    def put(self, padding=0):
        """A feature that the store keeps, with so many bytes that say nothing."""
        channel, key = self._draft.channel(), self._key()
        return self._published("put", channel, key_of(key), self._document(channel, key)) | {"padding": padding}

    def tell(self):
        """A feature that nobody stores."""
        channel, key = self._draft.channel(), self._key()
        document = tombstone(key) if self._random.random() < 0.2 else self._document(channel, key)
        return self._published("tell", channel, key_of(key), document)

    def delete(self):
        channel, key = self._draft.channel(), key_of(self._key())
        action = self._action("delete", channel, key, None)
        if key in self._draft.truth.channels[channel].stored or not action["by"].startswith("http"):
            self._draft.truth.publish(channel, key, None, stored=True)
        return action

    def tell_without_key(self):
        random, channel = self._random, self._draft.channel()
        kind = random.choice(("feature", "collection", "collection", "note"))
        if kind == "feature":
            document = self._document(channel, None)
        elif kind == "note":
            document = {"note": "no feature", "v": self._version()}
        else:
            members = [self._member(channel) for _ in range(random.randint(1, 4))]
            document = {"type": "FeatureCollection", "features": members, "v": next(self._draft.versions)}
        return self._action("tell", channel, None, document)

    def _published(self, do, channel, key, document):
        feature = self._draft.truth.feature(channel, document) if document else None
        self._draft.truth.publish(channel, key, feature, stored=do == "put")
        return self._action(do, channel, key, document)

    def _action(self, do, channel, key, document):
        way = "redis" if key == WRITTEN_KEY else self._random.choice(self._ways)
        return {"do": do, "channel": channel, "key": key, "document": document, "by": way}

    def _key(self):
        key = self._random.choice(self._keys)
        return str(key) if self._random.random() < 0.1 else key

    def _document(self, channel, key):
        """A feature that is clearly inside or outside of every box."""
        properties, track_key = {"v": self._version()}, self._draft.truth.channels[channel].track_key
        if self._random.random() < 0.7:
            properties |= wishes.properties(self._random)
        others = {"properties": properties}
        if key is not None and track_key:
            properties[track_key] = key
        elif key is not None:
            others["id"] = key
        if self._random.random() < 0.1:
            others |= {"bbox": [0, 0, 1, 1], "other": {"a": [1, 2.50, None]}}
        while True:
            document = {"type": "Feature", "geometry": self._geometry(channel)} | others
            feature = self._draft.truth.feature(channel, document)
            if shapes.is_usable(feature) and self._draft.is_clear(feature):
                return document

    def _version(self):
        """A number of its own, now and then in letters: where rights count, a digit may be a coordinate."""
        version = next(self._draft.versions)
        return in_letters(version) if self._random.random() < 0.3 else version

    def _member(self, channel):
        """A member of a collection, of which nothing is withheld in any system, and which is somewhere if somebody may not see
        everything: what rights are to members without geometry, nobody has said."""
        while True:
            document = self._document(channel, None)
            if document["geometry"] is None and self._draft.rights:
                continue
            if all(self._draft.truth.feature(channel, document).is_finite(code) for code in CODES):
                return document

    def _geometry(self, channel):
        random, views = self._random, self._draft.views()
        if random.random() < 0.07:
            return None
        view, code = random.choice(views) if views else None, self._draft.truth.channels[channel].code
        if code != DATA:
            # In the middle of where that system is at home.
            return shapes.moved_into(code, shapes.geometry(random, *random.choice(shapes.CENTRES)))
        if self._draft.rights and random.random() < 0.5:
            return self._limited(random.choice(self._draft.rights))
        if view and view.is_plain and random.random() < 0.2:
            return {"type": "Point", "coordinates": list(shapes.edge(random, view.box))}
        return shapes.geometry(random, *shapes.place(random, view))

    def _limited(self, rights):
        """A geometry where somebody may see something: also at an edge, which is one where the polygon is a box."""
        random, limits = self._random, shapes.within_world(self._random, rights.bounds)
        match random.choice(("edge", "line", "any", "any")):
            case "edge":
                return {"type": "Point", "coordinates": list(shapes.edge(random, limits))}
            case "line":
                return shapes.line_between(random, rights.area, limits)
            case "any":
                return shapes.geometry(random, *shapes.place_around(random, limits))
