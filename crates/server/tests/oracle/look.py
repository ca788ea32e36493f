"""What a client looks at: a box, properties that features have to have, and what of them it is sent."""

from dataclasses import dataclass, field

from detail import Detail
from properties import has
from view import View


@dataclass(frozen=True)
class Look:
    """One viewport, as a whole: the next one replaces all of it."""

    view: View | None = None
    #: What is asked for, by name of the property, in the form in which `of` found it.
    properties: dict = field(default_factory=dict)
    #: Whether that is in words of the text dialect, or in JSON.
    in_words: bool = False
    #: The only properties that are sent, or None for all.
    fields: frozenset | None = None
    #: `whole` or `inside`: what is sent of a collection with one member inside.
    members: str = "whole"
    detail: Detail = Detail()

    @classmethod
    def of(cls, action):
        """What an action `view` or `unview` of a plan asks for."""
        fields, box = action.get("fields"), action.get("box")
        return cls(
            None if box is None else View(tuple(box), action["code"]), action.get("properties", {}),
            action.get("in_words", False), None if fields is None else frozenset(fields), action.get("members", "whole"),
            Detail(*(action.get(name) for name in ("precision", "tolerance", "min_move", "zoom"))),
        )

    @property
    def sending(self):
        """What has everything sent again that is inside, if it is another."""
        return self.fields, self.detail.asked

    def holds(self, feature):
        """Whether a feature is in the box, and has what is asked for. Raises view.TooClose."""
        return self.boxes(feature) and self.wants(feature)

    def boxes(self, feature):
        return self.view is None or self.view.holds(feature)

    def wants(self, feature):
        return has(feature.document["properties"], self.properties, self.in_words)

    def nearly_holds(self, feature):
        """Whether it could be taken to be inside by somebody who computes a little differently."""
        return self.wants(feature) and (self.view is None or self.view.nearly_holds(feature))

    def cut(self, document):
        """A feature with only those properties that are sent."""
        if self.fields is None or not document["properties"]:
            return document
        properties = {name: value for name, value in document["properties"].items() if name in self.fields}
        return document | {"properties": properties}
