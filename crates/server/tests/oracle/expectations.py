"""What a client may be told at any moment, also between two looks at its map."""

from feature import DATA
from message import version_of


class Registry:
    """Everything that was published in a run, by its number."""

    def __init__(self):
        self.features, self.messages = {}, {}


class Expectations:
    """The boxes and systems that may be in force for a client: that of the last look, and all that it asked for since."""

    def __init__(self, registry):
        self._registry = registry
        self._views, self._codes = [None], [DATA]

    def may_be(self, view):
        self._views.append(view)

    def may_have(self, code):
        self._codes.append(code)

    def settle(self, session):
        """Nothing but this is in force any more."""
        self._views, self._codes = [session.view], [session.code]

    def content_fault(self, key, content, version, differs):
        """Says what is wrong with the content of a key, or nothing."""
        known, feature = self._registry.features.get(version, (None, None))
        if known != key:
            return f"a content that was published for {known}: {content}"
        return self._fault(lambda code: differs(content, feature, code), lambda view: view.nearly_holds(feature), content)

    def message_fault(self, content):
        """The number of a message without a key, and what is wrong with it, or nothing."""
        version = version_of(content)
        message = self._registry.messages.get(version)
        if message is None:
            return version, f"nobody published {content}"
        return version, self._fault(lambda code: message.difference(content, code), message.nearly_shown, content)

    def _fault(self, differs, is_shown, content):
        differences = [differs(code) for code in self._codes]
        if all(differences):
            return differences[-1]
        if not any(view is None or is_shown(view) for view in self._views):
            return f"{content} is outside of {self._views}"
        return None
