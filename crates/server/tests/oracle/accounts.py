"""What each client was told between two looks, held to what happened: not one event too many or too few."""

from collections import Counter

import sentinel
from look import Look
from message import Message
from plain import PlainLedger, is_notice, notice_of, order_fault
from publications import published as published_document
from publisher import tombstone


class Accounts:
    """Checks what a client was told since the last look, where that is certain.

    It is certain for a key that was published once at most while the client asked for nothing, and for one that was not
    published while it asked for one thing. All else is left to the ledger's rules and to the maps.
    """

    def __init__(self, truth, clients):
        self._truth, self._clients = truth, clients
        self.counts = Counter()
        #: By client, as one who does not read is looked at later than the others.
        self._actions = [[] for _ in clients]
        #: By client and channel: the ledger, its keys, and Look.sending.
        self._before = [{} for _ in clients]

    def add(self, actions):
        for waiting in self._actions:
            waiting.extend(actions)

    def settle(self, number, was_stalled):
        """Checks what a client was told, and begins anew. The client raises Fault."""
        client, actions = self._clients[number], self._actions[number]
        asked = [action for action in actions if action.get("client") == number and "refused" not in action]
        was_cut = any(action["do"] == "cut" for action in actions)
        for channel, ledger in client.ledgers.items():
            published = [action for action in actions if action.get("channel") == channel and "by" in action]
            before = self._before[number].get(channel)
            is_known = before is not None and before[0] is ledger
            if self._truth.sessions[number].subscriptions[channel].form == "plain":
                said = self._plain_fault(number, channel, ledger, published, was_cut) if is_known and not asked else None
                self.counts["plain"] += len(ledger.heard)
                ledger.heard = []
            else:
                is_certain = is_known and not was_stalled and not was_cut
                said = self._tracked_fault(number, channel, ledger, before, published, asked) if is_certain else None
                said = said or self._twice_fault(ledger)
                self._count(ledger, published, was_stalled)
                ledger.log, ledger.messages = [], []
            if said:
                client.fail(f"on {channel} {said}")
        sending = self._truth.sessions[number].look.sending
        self._before[number] = {channel: (ledger, _keys(ledger), sending) for channel, ledger in client.ledgers.items()}
        actions.clear()

    def _tracked_fault(self, number, channel, ledger, before, published, asked):
        events, place = _events(ledger), self._truth.channels[channel]
        session, (_, keys, sending) = self._truth.sessions[number], before
        is_again = any(Look.of(action).sending != sending for action in asked if action["do"] in ("view", "unview"))
        for key in set(events) | keys | set(ledger.features) | {action["key"] for action in published}:
            if key in (None, sentinel.KEY):
                continue
            told, was, now = events.get(key, []), key in keys, key in ledger.features
            # It may have expired, and come again; MapLibre is not told why something leaves.
            if place.stale_after is not None and any(kind == "leave" and reason in ("expired", None) for kind, reason in told):
                continue
            times, feature = sum(action["key"] == key for action in published), place.live.get(key)
            reasons = session.reasons(feature) if feature else {"deleted"}
            if not asked:
                said = _publication_fault(told, was, now, times, reasons)
            elif times:
                continue
            else:
                # Of who has no viewport any more, it is not said whether it is the rights or the looking elsewhere.
                reasons = {"viewport" if reason == "moved" else reason for reason in reasons}
                said = _request_fault(told, was, now, asked, reasons, is_again)
            if said:
                return f"the client was told {told} of {key}, {said}"
        return None if asked else self._messages_fault(number, channel, ledger, published)

    def _messages_fault(self, number, channel, ledger, published):
        """Messages without a key come once to whoever looks there."""
        documents = [action["document"] for action in published if action["key"] is None]
        messages = [Message(document, self._truth.channels[channel].code) for document in documents]
        should = {message.version for message in messages if message.shown(self._truth.sessions[number])}
        if set(ledger.messages) != should:
            return f"messages {sorted(ledger.messages)} came instead of {sorted(should)}"
        return None

    def _plain_fault(self, number, channel, ledger, published, was_cut):
        """Everything comes that was published, once and in order, to whoever looks there; and that a key was deleted to everybody."""
        session, should = self._truth.sessions[number], []
        for action in published:
            document = published_document(action) or tombstone(action["key"])
            if is_notice(document):
                should += [] if session.is_blind else [notice_of(document)]
            elif action["key"] is None:
                message = Message(document, self._truth.channels[channel].code)
                should += [message.version] if message.shown(session) else []
            else:
                feature = self._truth.feature(channel, document)
                should += [feature.version] if session.shows(feature) else []
        return order_fault(ledger.heard, should, was_cut)

    @staticmethod
    def _twice_fault(ledger):
        is_twice = len(set(ledger.messages)) < len(ledger.messages)
        return f"messages came twice: {sorted(ledger.messages)}" if is_twice else None

    def _count(self, ledger, published, was_stalled):
        for kind, key, reason in ledger.log:
            self.counts[" ".join(filter(None, (kind, reason)))] += key != sentinel.KEY
        self.counts["message"] += len(ledger.messages)
        if was_stalled:
            self.counts["published while stalled"] += len(published)
            self.counts["told after stalling"] += sum(key != sentinel.KEY for _, key, _ in ledger.log)


def _events(ledger):
    """What was told of each key, in order."""
    events = {}
    for kind, key, reason in ledger.log:
        events.setdefault(key, []).append((kind, reason))
    return events


def _keys(ledger):
    return set() if isinstance(ledger, PlainLedger) else set(ledger.features)


def _publication_fault(told, was, now, times, reasons):
    """What is wrong with events of a key that was published so many times, for a client that asked for nothing."""
    if times > 1:
        return None if len(told) <= times else f"which was published {times} times"
    should = []
    if times:
        should = {(1, 1): ["update"], (1, 0): ["leave"], (0, 1): ["enter"], (0, 0): []}[was, now]
    if [kind for kind, _ in told] != should:
        return f"not {should}: it was {'not ' * (not times)}published, was {was} and is {now}"
    if should == ["leave"] and told[0][1] not in {*reasons, None}:
        return f"and not for one of the reasons {sorted(reasons)}"
    return None


def _request_fault(told, was, now, asked, reasons, is_again):
    """What is wrong with events of a key that was not published, for a client that asked for something."""
    kinds, is_one = {action["do"] for action in asked}, len(asked) == 1
    if kinds <= {"view", "unview"}:
        reasons = {*(reasons if is_one else ("viewport", "filtered")), None}
        if any(kind == "leave" and reason not in reasons for kind, reason in told):
            return f"and not for one of the reasons {reasons}"
        if not is_again and any(kind == "update" for kind, _ in told):
            return "although only its view changed"
        # Whoever asks for other fields or another detail is sent all that is inside again.
        should = {(1, 1): ["update"] * is_again, (1, 0): ["leave"], (0, 1): ["enter"], (0, 0): []}[was, now]
        return f"not {should}" if is_one and [kind for kind, _ in told] != should else None
    if kinds <= {"buffer", "untrack", "track"}:
        return "although nothing happened to it" if told else None
    if kinds == {"project"} and is_one:
        allowed = {(1, 1): (["update"], []), (1, 0): (["leave"],), (0, 1): (["enter"],), (0, 0): ([],)}[was, now]
        return None if [kind for kind, _ in told] in allowed else f"not one of {allowed}"
    return None
