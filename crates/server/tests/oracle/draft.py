"""A run in the making: its random generator, what is decided, and what would be true so far."""

import random as standard
from itertools import count

from truth import Truth
from view import TooClose


class Draft:
    """What the makers of publications, requests and steps share."""

    def __init__(self, seed, channels, clients):
        self.seed, self.channels, self.clients = seed, channels, clients
        self.random = standard.Random(seed)
        self.versions = count(1)
        self.truth = Truth(channels, clients)
        #: Those of clients that may not see everywhere.
        self.rights = [session.rights for session in self.truth.sessions if session.rights and "within" in session.rights.claim]

    def views(self):
        return [session.look.view for session in self.truth.sessions if session.look.view]

    def features(self):
        """Everything that may be on somebody's map."""
        for channel in self.truth.channels.values():
            yield from channel.stored.values()
            yield from channel.live.values()

    def is_clear(self, feature):
        """Whether a feature is clearly inside or outside of every box, and clearly granted or not."""
        views, rights = self.views(), self.rights
        return all(_decided(view.holds, feature) for view in views) and all(_decided(one.grants, feature) for one in rights)

    def has_clear(self, view):
        """Whether every feature is clearly inside or outside of a box."""
        return all(_decided(view.holds, feature) for feature in self.features())

    def channel(self):
        return self.random.choice(list(self.channels))


def _decided(question, feature):
    try:
        question(feature)
    except TooClose:
        return False
    return True
