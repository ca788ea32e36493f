"""What a client is told of a channel that it does not track: every message that is in its viewport, in their order."""

import sentinel
from feature import difference
from ledger import Fault
from message import version_of
from publisher import tombstone

#: What stands for "messages may have been missed".
GAP = "gap"


class PlainLedger:
    """Keeps no map. `heard` has what was told since the last look: numbers of publications, notices that a key was deleted as
    `notice_of` writes them, and GAP."""

    def __init__(self, expectations):
        self.versions, self.heard = {}, []
        self._expectations = expectations

    def take(self, event):
        """Enters what was pushed. Raises Fault."""
        if event.kind == "gap":
            self.heard.append(GAP)
        elif event.kind != "message":
            raise Fault(f"{event.kind} of {event.key} on a channel that is not tracked")
        elif is_notice(event.content):
            self.heard.append(notice_of(event.content))
        else:
            self._take_publication(event.content)

    def _take_publication(self, content):
        version, key = version_of(content), self._expectations.published_key(content)
        if key is None:
            message, said = self._expectations.message_fault(content)
            version = version if message is None else message.version
        else:
            said = self._expectations.content_fault(key, content, version, self.differs)
        if said:
            raise Fault(f"message: {said}")
        if sentinel.is_one(version):
            self.versions[sentinel.NOTE if key is None else key] = version
        else:
            self.heard.append(version)

    @staticmethod
    def differs(got, feature, code, look):
        return difference(got, feature, code, look)


def order_fault(heard, should, may_skip):
    """What is wrong with what was told, if all of this should have been, in this order: behind a GAP something may be missing, if
    there can have been one."""
    at, is_behind_gap = 0, False
    for one in heard:
        if one == GAP:
            if not may_skip:
                return "a gap, although Redis was there"
            is_behind_gap = True
            continue
        if is_behind_gap and one in should[at:]:
            at = should.index(one, at)
        if at == len(should) or should[at] != one:
            return f"{heard} came instead of {should}: {one} is wrong there"
        at, is_behind_gap = at + 1, False
    # What comes behind everything is the sentinel.
    return None if at == len(should) or is_behind_gap else f"{heard} came instead of {should}: the last are missing"


def is_notice(content):
    return isinstance(content, dict) and content.get("deleted") is True


def notice_of(document):
    """A notice that a key was deleted, if it is one as all ways of publishing make it."""
    if document != tombstone(document.get("id")):
        raise Fault(f"{document} is no notice that a key was deleted")
    return f"deleted {document['id']!r}"
