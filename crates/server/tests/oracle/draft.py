"""A run in the making: its random generator, what is decided, and what would be true so far."""

import random as standard
from itertools import count

from truth import Truth
from view import TooClose


class Draft:
    """What the makers of publications, requests and steps share."""

    def __init__(self, seed, channels, clients):
        self.seed, self.channels = seed, channels
        self.random = standard.Random(seed)
        self.versions = count(1)
        self.truth = Truth(channels, clients)

    def views(self):
        return [session.view for session in self.truth.sessions if session.view]

    def features(self):
        """Everything that may be on somebody's map."""
        for channel in self.truth.channels.values():
            yield from channel.stored.values()
            yield from channel.live.values()

    def is_clear(self, feature):
        """Whether a feature is clearly inside or outside of every box."""
        return all(_decided(view, feature) for view in self.views())

    def has_clear(self, view):
        """Whether every feature is clearly inside or outside of a box."""
        return all(_decided(view, feature) for feature in self.features())

    def channel(self):
        return self.random.choice(list(self.channels))



def _decided(view, feature):
    try:
        view.holds(feature)
    except TooClose:
        return False
    return True
