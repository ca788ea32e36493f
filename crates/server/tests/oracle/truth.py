"""What is published and what each client asked for, and from both what each client must have on its map."""

from dataclasses import dataclass, field

from feature import DATA, Feature
from look import Look
from rights import Rights

#: How long after its time a key may still be there: the server looks in intervals.
SLACK = 1.5


def key_of(feature_id):
    """`7` and `"7"` are the same key."""
    return feature_id if isinstance(feature_id, str) else str(feature_id)


def id_of(document, track_key):
    """What the key of a feature is made of: its id, or else the property that the channel names."""
    return document.get("id", (document.get("properties") or {}).get(track_key))


@dataclass
class Heard:
    """When a key was last published: before this it was not sent yet, after that it was with the store."""

    start: float = 0.0
    end: float = 0.0


@dataclass
class Channel:
    """A channel's state: what the store holds, and what was published last, which is mostly the same."""

    #: In seconds.
    stale_after: float | None = None
    #: The system of its payloads.
    code: int = DATA
    #: The property that is the key of features without id.
    track_key: str | None = None
    stored: dict = field(default_factory=dict)
    live: dict = field(default_factory=dict)
    heard: dict = field(default_factory=dict)

    def put(self, key, feature, at=Heard()):
        self._set(self.stored, key, feature)
        self.tell(key, feature, at)

    def tell(self, key, feature, at=Heard()):
        """Published without being stored."""
        self._set(self.live, key, feature)
        self.heard[key] = at

    def delete(self, key, at=Heard()):
        self.stored.pop(key, None)
        self.live.pop(key, None)
        self.heard[key] = at

    @staticmethod
    def _set(features, key, feature):
        if feature.is_deletion:
            features.pop(key, None)
        else:
            features[key] = feature


@dataclass
class Subscription:
    """A client's subscription of a channel: tracked as `events` or for `maplibre`, or `plain`."""

    form: str = "events"
    since: float = 0.0
    #: Keys whose stored and published states differed when it began: it may have been told either.
    uncertain: set = field(default_factory=set)
    #: Whether it is known to have begun.
    is_settled: bool = False


@dataclass
class Session:
    """What a client asked for, and what it may see."""

    look: Look = Look()
    #: The action by which it asked for that look.
    asked: dict | None = None
    code: int = DATA
    rights: Rights | None = None
    subscriptions: dict = field(default_factory=dict)

    def shows(self, feature):
        """Whether a feature belongs on the client's map."""
        return not self.reasons(feature)

    @property
    def is_blind(self):
        """Whether nothing is sent at all, for want of a viewport."""
        return self.rights is not None and self.rights.needs_view and self.look.view is None

    def reasons(self, feature):
        """Why a feature that was published does not: for one of these it leaves."""
        if self.is_blind:
            return {"access", "moved"}
        reasons = {"access"} if self.rights and not self.rights.grants(feature) else set()
        if not (feature.is_finite(self.code) and self.look.boxes(feature)):
            return reasons | {"moved"}
        return reasons if self.look.wants(feature) else reasons | {"filtered"}


class Truth:
    """The state of channels and sessions after what was done so far."""

    def __init__(self, channels, clients):
        """`clients`: what is known of each before it asks for anything, as plan.py makes it."""
        self.channels = {name: Channel(**settings) for name, settings in channels.items()}
        self.sessions = [Session(rights=Rights(kind["geo"]) if "geo" in kind else None) for kind in clients]

    def feature(self, channel, document):
        return Feature(document, self.channels[channel].code)

    def publish(self, channel, key, feature, stored, at=Heard()):
        """A publication; without a feature the deletion of a key."""
        place = self.channels[channel]
        if feature is None:
            place.delete(key, at)
        elif stored:
            place.put(key, feature, at)
        else:
            place.tell(key, feature, at)
        for subscription in (session.subscriptions.get(channel) for session in self.sessions):
            if subscription and (subscription.is_settled or place.stored.get(key) is place.live.get(key)):
                subscription.uncertain.discard(key)
            elif subscription:
                subscription.uncertain.add(key)

    def settle(self, client):
        """All that a client has asked for is in force."""
        for subscription in self.sessions[client].subscriptions.values():
            subscription.is_settled = True

    def ask(self, action, now=0.0):
        """What a client asks for: an action of a plan."""
        session = self.sessions[action["client"]]
        match action:
            case {"do": "reconnect"}:
                self.sessions[action["client"]] = Session(rights=session.rights)
            case {"do": "track", "channel": channel, "form": form}:
                session.subscriptions[channel] = Subscription(form, now, self._uncertain(channel))
            case {"do": "untrack", "channel": channel}:
                session.subscriptions.pop(channel, None)
            case {"do": "view", "refused": True}:
                pass
            case {"do": "view"}:
                session.look, session.asked = Look.of(action), action
            case {"do": "unview"}:
                session.look, session.asked = Look(), None
            case {"do": "project", "code": code}:
                session.code = code

    def _uncertain(self, channel):
        place = self.channels[channel]
        return {key for key in place.stored | place.live if place.stored.get(key) is not place.live.get(key)}

    def map(self, client, channel, begin=0.0, end=0.0):
        """The features that a client must have, by key, and for keys that are not certain the states it may have.

        `begin` and `end` are the times between which the client was looked at; None among the states is for absence.
        """
        session, place = self.sessions[client], self.channels[channel]
        subscription = session.subscriptions[channel]
        must, may = {}, {}
        for key in place.stored | place.live:
            states = [place.live.get(key)]
            if key in subscription.uncertain:
                states.append(place.stored.get(key))
            if place.stale_after is not None:
                states = self._after_a_while(states, place, key, subscription, begin, end)
            states = [state if state and session.shows(state) else None for state in states]
            if len(set(states)) > 1:
                may[key] = set(states)
            elif states[0]:
                must[key] = states[0]
        return must, may

    @staticmethod
    def _after_a_while(states, place, key, subscription, begin, end):
        heard = place.heard.get(key, Heard())
        if end < heard.start + place.stale_after:
            return states
        # A later subscription may have read the key from the store again, from when its age counts.
        last = max(heard.end, subscription.since)
        return [None] if begin > last + place.stale_after + SLACK else [*states, None]
