"""What each client was told between two looks, held to what happened: not one event too many or too few."""

from collections import Counter

from message import Message, version_of


class Accounts:
    """Checks what a client was told since the last look, where that is certain.

    It is certain for a key that was published once at most while the client asked for nothing, and for one that was not
    published while it asked for one thing. All else is left to the ledger's rules and to the maps.
    """

    def __init__(self, truth, clients, sentinel):
        self._truth, self._clients, self._sentinel = truth, clients, sentinel
        self.counts = Counter()
        #: By client, as one who does not read is looked at later than the others.
        self._actions = [[] for _ in clients]
        self._before = [{} for _ in clients]

    def add(self, actions):
        for waiting in self._actions:
            waiting.extend(actions)

    def settle(self, number, was_stalled):
        """Checks what a client was told, and begins anew. The client raises Fault."""
        client, actions = self._clients[number], self._actions[number]
        asked = [action for action in actions if action.get("client") == number]
        for channel, ledger in client.ledgers.items():
            published = [action for action in actions if action.get("channel") == channel and "by" in action]
            events = self._events(ledger)
            self._count(ledger, published, was_stalled)
            before = self._before[number].get(channel)
            was_cut = any(action["do"] == "cut" for action in actions)
            if before and before[0] is ledger and not was_stalled and not was_cut:
                is_brief = self._truth.channels[channel].stale_after is not None
                said = _events_fault(events, before[1], set(ledger.features), published, asked, is_brief)
                said = said or self._messages_fault(number, channel, ledger, published, asked)
                if said:
                    client.fail(f"on {channel} {said}")
            if len(set(ledger.messages)) < len(ledger.messages):
                client.fail(f"on {channel} messages came twice: {sorted(ledger.messages)}")
            ledger.log, ledger.messages = [], []
        self._before[number] = {channel: (ledger, set(ledger.features)) for channel, ledger in client.ledgers.items()}
        actions.clear()

    def _events(self, ledger):
        """What was told of each key, in order."""
        events = {}
        for kind, key, reason in ledger.log:
            if key != self._sentinel:
                events.setdefault(key, []).append((kind, reason))
        return events

    def _count(self, ledger, published, was_stalled):
        for kind, key, reason in ledger.log:
            self.counts[" ".join(filter(None, (kind, reason)))] += key != self._sentinel
        self.counts["message"] += len(ledger.messages)
        if was_stalled:
            self.counts["published while stalled"] += len(published)
            self.counts["told after stalling"] += sum(key != self._sentinel for _, key, _ in ledger.log)

    def _messages_fault(self, number, channel, ledger, published, asked):
        """Messages without a key come once to whoever looks there."""
        if asked:
            return None
        documents = [action["document"] for action in published if action["key"] is None]
        session, code = self._truth.sessions[number], self._truth.channels[channel].code
        should = {version_of(document) for document in documents if Message(document, code).shown(session)}
        if set(ledger.messages) != should:
            return f"messages {sorted(ledger.messages)} came instead of {sorted(should)}"
        return None


def _events_fault(events, before, after, published, asked, is_brief):
    times = Counter(action["key"] for action in published if action["key"] is not None)
    deleted = {action["key"] for action in published if _is_deletion(action)}
    for key in set(events) | before | after | set(times):
        told, was, now = events.get(key, []), key in before, key in after
        if is_brief:
            # It may have expired, and come again; MapLibre is not told why something leaves.
            if any(kind == "leave" and reason in ("expired", None) for kind, reason in told):
                continue
        if not asked:
            fault = _publication_fault(told, was, now, times[key], "deleted" if key in deleted else "moved")
        elif times[key]:
            continue
        else:
            fault = _request_fault(told, was, now, asked)
        if fault:
            return f"the client was told {told} of {key}, {fault}"
    return None


def _publication_fault(told, was, now, times, reason):
    """What is wrong with events of a key that was published so many times, for a client that asked for nothing."""
    if times > 1:
        return None if len(told) <= times else f"which was published {times} times"
    should = []
    if times:
        should = {(1, 1): ["update"], (1, 0): ["leave"], (0, 1): ["enter"], (0, 0): []}[was, now]
    if [kind for kind, _ in told] != should:
        return f"not {should}: it was {'not ' * (not times)}published, was {was} and is {now}"
    if should == ["leave"] and told[0][1] not in (reason, None):
        return f"and not for the reason {reason}"
    return None


def _request_fault(told, was, now, asked):
    """What is wrong with events of a key that was not published, for a client that asked for something."""
    kinds = {action["do"] for action in asked}
    if kinds <= {"view", "unview"}:
        if any(kind == "update" for kind, _ in told):
            return "although only its view changed"
        if any(kind == "leave" and reason not in ("viewport", None) for kind, reason in told):
            return "although only the view changed"
        should = {(1, 0): 1, (0, 1): 1, (1, 1): 0, (0, 0): 0}[was, now]
        return f"not {should} event" if len(asked) == 1 and len(told) != should else None
    if kinds <= {"buffer", "untrack", "track"}:
        return "although nothing happened to it" if told else None
    if kinds == {"project"} and len(asked) == 1:
        allowed = {(1, 1): (["update"], []), (1, 0): (["leave"],), (0, 1): (["enter"],), (0, 0): ([],)}[was, now]
        return None if [kind for kind, _ in told] in allowed else f"not one of {allowed}"
    return None


def _is_deletion(action):
    return action["do"] == "delete" or (action["document"] or {}).get("deleted") is True
