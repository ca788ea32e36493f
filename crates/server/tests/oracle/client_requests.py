"""Random requests of clients: what they look at, in which system, on which channels, and how they are sent it."""

import shapes
import wishes
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
        action = {"do": "view", "client": client, "code": session.code, "said": False}
        action |= wishes.wishes(self._random, self._draft.clients[client]["dialect"], self._without)
        claim = session.rights.claim if session.rights else {}
        if "zoom" in claim:
            action["zoom"] = self._random.randint(0, 12)
        if "max_area" in claim or "zoom" in claim or action["in_words"] or not ("properties" in action or "fields" in action) or self._random.random() < 0.8:
            action |= self._clear_box(session, said)
        else:
            # What is asked for holds for the whole world.
            action = {name: value for name, value in action.items() if name not in wishes.OF_BOXES} | {"box": None}
        if session.rights and session.rights.refuses(action):
            action["refused"] = True
        return [self._ask(action)]

    def _clear_box(self, session, said):
        is_measured = session.rights is not None and "max_area" in session.rights.claim
        codes = CODES + (DATA,) * 3 * (session.rights is not None)
        while True:
            code = self._random.choice(tuple(HALF_WORLD) if is_measured else codes) if said or is_measured else session.code
            view = View(self._box(code, session.rights), code)
            if self._draft.has_clear(view):
                return {"box": list(view.box), "code": code, "said": said or is_measured}

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
        forms = {"events": 60, "maplibre": 20 * ("maplibre" not in self._without), "plain": 60 * ("plain" not in self._without)}
        form = self._random.choices(list(forms), forms.values())[0]
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
        if session.asked:
            again.append(session.asked | {"said": session.asked["box"] is not None})
        for channel, subscription in session.subscriptions.items():
            again.append({"do": "track", "client": client, "channel": channel, "form": subscription.form})
        self._random.shuffle(again)
        return [self._ask(action) for action in [{"do": "reconnect", "client": client}, *again]]

    def _ask(self, action):
        self._draft.truth.ask(action)
        return action

    def _box(self, code, rights):
        random = self._random
        if rights and "within" in rights.claim and code == DATA and random.random() < 0.5:
            left, bottom, right, top = shapes.within_world(random, rights.bounds)
            return left, bottom - random.randint(0, 2), right, top
        if "wrap" not in self._without and code in HALF_WORLD and random.random() < 0.3:
            return shapes.box_across(random, code)
        if rights and "within" in rights.claim and random.random() < 0.5:
            return self._box_near(code, shapes.place_around(random, shapes.within_world(random, rights.bounds)))
        places = [feature for feature in self._draft.features() if not feature.is_placeless]
        near = None
        if places and random.random() < 0.6:
            point = random.choice(places).shape(DATA).representative_point()
            near = (max(-179, min(179, point.x + random.gauss(0, 0.5))), max(-85, min(85, point.y + random.gauss(0, 0.5))))
        return self._box_near(code, near)

    def _box_near(self, code, near):
        while (box := shapes.box(self._random, code, near)) is None:
            near = None
        return box
