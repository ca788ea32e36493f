"""Random requests of clients: what they look at, in which system, on which channels, and how they are sent it."""

import shapes
from feature import CODES, DATA
from view import HALF_WORLD, View


class Requests:
    """Makes lists of actions of one client, and tells the draft's truth of them."""

    def __init__(self, draft, without):
        self._draft, self._random, self._without = draft, draft.random, without

    def any(self, client):
        kinds = {
            self.view: 40, self.unview: 6, self.project: 12, self.project_and_view: 6, self.track: 10, self.untrack: 8,
            self.buffer: 6 * ("buffer" not in self._without), self.reconnect: 7,
        }
        return self._random.choices(list(kinds), kinds.values())[0](client)

    def opening(self, client):
        """What a client asks for at first, in any order."""
        random = self._random
        actions = [self.track(client)]
        if random.random() < 0.8:
            actions.append(self.view(client, said=True))
        if random.random() < 0.4:
            actions.append(self.project(client))
        if random.random() < 0.5:
            actions.append(self.track(client))
        random.shuffle(actions)
        return sum(actions, [])

    def view(self, client, said=None):
        """Another box, with its system said or in the session's."""
        session = self._draft.truth.sessions[client]
        said = self._random.random() < 0.5 if said is None else said
        while True:
            code = self._random.choice(CODES) if said else session.code
            view = View(self._box(code), code)
            if self._draft.has_clear(view):
                break
        return [self._ask({"do": "view", "client": client, "box": list(view.box), "code": code, "said": said})]

    def unview(self, client):
        return [self._ask({"do": "unview", "client": client})]

    def project(self, client):
        return [self._ask({"do": "project", "client": client, "code": self._random.choice(CODES)})]

    def project_and_view(self, client):
        return self.project(client) + self.view(client, said=False)

    def track(self, client):
        session = self._draft.truth.sessions[client]
        others = [channel for channel in self._draft.channels if channel not in session.subscriptions]
        if not others:
            return self.view(client)
        form = "maplibre" if self._random.random() < 0.25 and "maplibre" not in self._without else "events"
        return [self._ask({"do": "track", "client": client, "channel": self._random.choice(others), "form": form})]

    def untrack(self, client):
        session = self._draft.truth.sessions[client]
        if not session.subscriptions:
            return self.track(client)
        channel = self._random.choice(list(session.subscriptions))
        return [self._ask({"do": "untrack", "client": client, "channel": channel})]

    def buffer(self, client):
        milliseconds, number = self._random.choice(((0, 0), (30, 0), (50, 3), (100, 1000)))
        return [self._ask({"do": "buffer", "client": client, "milliseconds": milliseconds, "count": number})]

    def reconnect(self, client):
        """A new connection, on which the client asks for the same again."""
        session = self._draft.truth.sessions[client]
        again = [{"do": "project", "client": client, "code": session.code}] if session.code != DATA else []
        if session.view:
            view = {"do": "view", "client": client, "box": list(session.view.box), "code": session.view.code, "said": True}
            again.append(view)
        for channel, subscription in session.subscriptions.items():
            again.append({"do": "track", "client": client, "channel": channel, "form": subscription.form})
        self._random.shuffle(again)
        return [self._ask(action) for action in [{"do": "reconnect", "client": client}, *again]]

    def _ask(self, action):
        self._draft.truth.ask(action)
        return action

    def _box(self, code):
        random = self._random
        if "wrap" not in self._without and code in HALF_WORLD and random.random() < 0.3:
            return shapes.box_across(random, code)
        places = [feature for feature in self._draft.features() if not feature.is_placeless]
        near = None
        if places and random.random() < 0.6:
            point = random.choice(places).shape(DATA).representative_point()
            near = (max(-179, min(179, point.x + random.gauss(0, 0.5))), max(-85, min(85, point.y + random.gauss(0, 0.5))))
        return shapes.box(random, code, near) or shapes.box(random, code)
