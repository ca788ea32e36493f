"""What a client may be told at any moment, also between two looks at its map."""

from feature import DATA
from look import Look
from message import version_of


class Registry:
    """Everything that was published in a run, by its number."""

    def __init__(self):
        self.features, self._messages = {}, {}

    def add(self, message):
        """A message without a key. A collection is also known by the numbers of its members."""
        for version in (message.version, *(feature.version for feature in message.features)):
            self._messages[version] = message

    def message(self, content):
        return self._messages.get(version_of(content))


class Expectations:
    """The looks and systems that may be in force for a client: those of the last look at its map, and all that it asked for since."""

    def __init__(self, registry, rights):
        self._registry, self._rights = registry, rights
        self._looks, self._codes = [Look()], [DATA]

    def may_be(self, look):
        self._looks.append(look)

    def may_have(self, code):
        self._codes.append(code)

    def settle(self, session):
        """Nothing but this is in force any more."""
        self._looks, self._codes = [session.look], [session.code]

    def content_fault(self, key, content, version, differs):
        """Says what is wrong with the content of a key, or nothing."""
        known, feature = self._registry.features.get(version, (None, None))
        if known != key:
            return f"a content that was published for {known}: {content}"
        if self._rights and not self._rights.nearly_grants(feature):
            return f"{content} although only {self._rights.claim} is allowed"
        return self._fault(
            lambda look, code: None if look.nearly_holds(feature) else f"{content} is outside of {look}",
            lambda look, code: differs(content, feature, code, look))

    def message_fault(self, content):
        """The message without a key that a content is, and what is wrong with it, or nothing."""
        message = self._registry.message(content)
        if message is None:
            return None, f"nobody published {content}"
        return message, self._fault(lambda look, code: message.difference(content, code, look, self._rights))

    def published_key(self, content):
        """The key of a feature that a plain subscription is sent, or None."""
        return self._registry.features.get(version_of(content), (None, None))[0]

    def _fault(self, *faults):
        """Nothing if there is a look and a system for which none of these is one, else one of them."""
        said = [next(filter(None, (fault(look, code) for fault in faults)), None) for look in self._looks for code in self._codes]
        return said[-1] if all(said) else None
