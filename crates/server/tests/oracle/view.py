"""What a client looks at: a box in a coordinate system, and the one right answer to whether something is inside."""

from dataclasses import dataclass
from functools import cached_property

from shapely import box

from feature import DATA

#: Nearer than this to an edge two libraries may differ, in degrees and in metres.
MARGIN = {True: 1e-7, False: 1e-2}
#: Systems in which the world goes on where it ends, and half its width.
HALF_WORLD = {4326: 180.0, 3857: 20037508.342789244}


class TooClose(Exception):
    """A geometry so near to an edge that no answer is certain: runs are made so that this does not happen."""


@dataclass(frozen=True)
class View:
    """A closed box, `(left, bottom, right, top)` in the units of EPSG:`code`; left > right goes across the antimeridian, and so
    does a range beyond the end of the world, in HALF_WORLD's systems."""

    box: tuple
    code: int

    @property
    def margin(self):
        return MARGIN[self.code == DATA]

    @property
    def is_plain(self):
        """Whether a position as it is published can be compared with the box as it is."""
        left, _, right, _ = self.box
        return self.code == DATA and -180 <= left <= right <= 180

    @property
    def parts(self):
        """Left, bottom, right and top of its parts on either side of where the world ends."""
        return [piece.bounds for piece in self._grown(0)]

    @cached_property
    def _pieces(self):
        return self._grown(0), self._grown(self.margin), self._grown(-self.margin)

    def _grown(self, by):
        """The parts of the box, larger by a margin. Where the world ends and goes on is no edge."""
        left, bottom, right, top = self.box
        half = HALF_WORLD.get(self.code)
        if half:
            left, right = _snapped(left, half), _snapped(right, half)
            right += 2 * half if left > right else 0
        left, bottom, right, top = left - by, bottom - by, right + by, top + by
        return [box(a, bottom, b, top) for a, b in (_turns(left, right, half) if half else [(left, right)])]

    def holds(self, feature):
        """Whether the feature's geometry and the box have a point in common, in the box's system.

        Raises TooClose if that changes with a box that is larger or smaller by the margin. A point in the box's own
        system is compared exactly: there is nothing to compute, and so an edge is an edge.
        """
        if feature.is_placeless:
            return True
        if not feature.is_finite(self.code):
            return False
        shape = feature.shape(self.code)
        exact, larger, smaller = ([shape.intersects(piece) for piece in pieces] for pieces in self._pieces)
        compares = self.is_plain and feature.code == DATA and shape.geom_type in ("Point", "MultiPoint")
        if any(larger) != any(smaller) and not compares:
            raise TooClose(f"{feature.document} and {self}")
        return any(exact)

    def nearly_holds(self, feature):
        """Whether it could be taken to be inside by somebody who computes a little differently."""
        try:
            return self.holds(feature)
        except TooClose:
            return True


def _snapped(edge, half):
    """The end of the world, if the edge is that in whole metres."""
    end = round(edge / half) * half
    return end if half != HALF_WORLD[DATA] and abs(edge - end) < 1 and round(edge / half) % 2 else edge


def _turns(left, right, half):
    """The parts of a range of longitudes, each within `-half` to `half`: one that reaches one end has a part at the other."""
    if right - left >= 2 * half:
        return [(-half, half)]
    turned = [(left + turn * 2 * half, right + turn * 2 * half) for turn in (-2, -1, 0, 1, 2)]
    return [(max(a, -half), min(b, half)) for a, b in turned if a <= half and b >= -half]
