"""What the fake of the tests knows of one client, and tells it."""

import asyncio
import json
import re

from bearer import claims_of
from fake_sight import Sight
from look import Look
from rights import Rights
from truth import key_of


class Connection:
    """A client, and what it has on its map."""

    def __init__(self, fake, socket):
        self._fake, self._socket, self._waiting = fake, socket, asyncio.Queue()
        self._maps, self._forms, self._held = {}, {}, []
        self._sight = Sight(fake.fault, _rights(socket.request))
        self._is_rpc = socket.request.path.startswith("/rpc")
        if not self._is_rpc:
            self._send({"source": "websocket", "content": {"status": "open"}, "timestamp": 0.0, "client_reference": None})

    def read(self, frame):
        if not frame.startswith("{"):
            self._is_rpc = False
            self._command(*frame.split())
            return
        self._is_rpc = True
        call = json.loads(frame)
        answer = lambda result: self._send({"jsonrpc": "2.0", "id": call["id"], "result": result})
        error = {"code": -32000, "message": "no", "data": {"reason": "access_denied"}}
        refuse = lambda: self._send({"jsonrpc": "2.0", "id": call["id"], "error": error})
        self._call(call["method"], call.get("params", {}), answer, refuse)

    def look(self, channel, key, why=None, published=False, asked=False):
        """Tells the client of a key what it must be told: because it was published, for a reason that is not the client's look,
        because the client has asked for something."""
        known = self._maps.get(channel)
        if known is None or self._forms[channel] == "plain":
            return
        fault, feature = self._fake.fault, self._fake.live[channel].get(key)
        inside = feature is not None and self._sight.shows(feature)
        if fault == "sends what is outside" and feature is not None and feature.version % 5 == 0:
            inside = True
        if inside and (key not in known or published):
            content = known.get(key, feature) if fault == "sends old states" and not feature.is_placeless else feature
            self._event(channel, "update" if key in known else "enter", feature, content)
            known[key] = feature
        elif not inside and key in known:
            reason = why or self._sight.reason(feature)
            if asked and reason == "moved":
                reason = "viewport"
            if fault == "forgets leaves" or fault == "forgets leaves of pans" and reason == "viewport":
                return
            if fault == "keeps what may not be seen" and reason == "access":
                return
            self._event(channel, "leave", known.pop(key), None, "moved" if fault == "gives wrong reasons" else reason)

    def publication(self, channel, feature, document):
        """Tells the client of a feature with a key on a channel that it does not track."""
        if channel in self._maps and self._forms[channel] == "plain" and (
                feature.is_deletion and not self._sight.is_blind or self._sight.shows(feature)):
            content = document if feature.is_deletion else self._sight.content(feature)
            self._plain(channel, content, 0 if feature.is_deletion else feature.version)

    def message(self, channel, document):
        if channel in self._maps and self._fake.fault != "loses messages":
            members = [one for one in document.get("features", [document]) if one.get("type") == "Feature"]
            content = self._sight.message(document, [self._fake.feature(channel, one) for one in members])
            if content is not None:
                self._push(channel, "message", content, {"content": content})

    def has_map(self, channel):
        return self._forms.get(channel) != "plain"

    def gap(self, channel):
        """As if Redis had been away."""
        if channel in self._maps and self._is_rpc:
            self._send({"jsonrpc": "2.0", "method": "gap", "params": {"source": channel, "timestamp": 0.0}})
        elif channel in self._maps:
            content = {"gap": {"channel": channel}}
            self._send({"source": "websocket", "content": content, "timestamp": 0.0, "client_reference": None})

    def _plain(self, channel, content, number):
        fault = self._fake.fault
        if fault == "loses publications" and number % 7 == 3 or fault == "hides deletions" and number == 0:
            return
        if fault == "swaps publications" and number % 7 == 3:
            self._held.append((channel, content))
            return
        for held in [(channel, content)] * (2 if fault == "sends publications twice" and number % 7 == 3 else 1) + self._held:
            self._push(held[0], "message", held[1], {"content": held[1]})
        self._held = []

    async def write(self):
        while True:
            await self._socket.send(await self._waiting.get())

    def _look_at_all(self, published=False):
        for channel, known in self._maps.items():
            for key in set(known) | set(self._fake.live[channel]):
                self.look(channel, key, published=published, asked=True)

    def _event(self, channel, kind, feature, content, reason=None):
        key, form = self._fake.id_of(channel, feature.document), self._forms[channel]
        if content is not None:
            content = self._sight.content(content)
        if form == "maplibre":
            added = self._fake.id_of(channel, self._maps[channel].get(key_of(key), feature).document)
            diff = {"enter": {"add": [content]}, "leave": {"remove": [key]}}.get(kind)
            diff = diff or {"remove": [added], "add": [content]}
            self._push(channel, "diff", diff, {"diff": diff})
        elif kind == "leave":
            members = {"key": key, "reason": reason}
            if self._fake.fault == "sends leaves with geometry":
                members["geometry"] = feature.document["geometry"]
            self._push(channel, "leave", {"change": "leave"} | members, members)
        else:
            self._push(channel, kind, {"change": kind, "key": key, "feature": content}, {"key": key, "content": content})

    def _push(self, channel, method, content, parameters):
        if self._is_rpc:
            parameters = parameters | {"source": channel, "timestamp": 0.0}
            self._send({"jsonrpc": "2.0", "method": method, "params": parameters})
        else:
            self._send({"source": channel, "content": content, "timestamp": 0.0, "client_reference": None})

    def _send(self, document):
        self._waiting.put_nowait(json.dumps(document))

    def _command(self, name, *words):
        positional = [word for word in words if "=" not in word]
        named = dict(word.split("=", 1) for word in words if "=" in word)
        match name:
            case "PING":
                reference = named["client_ref"]
                self._send({"source": "websocket", "content": "PONG", "timestamp": 0.0, "client_reference": reference})
            case "SUB":
                self._track(positional[0], (positional[1:] or ["plain"])[-1].replace("track", "events"))
            case "DEL":
                self._maps.pop(positional[0], None)
            case "BBOX":
                code = int(named.pop("crs").split(":")[1]) if "crs" in named else self._sight.code
                action = {"box": list(map(float, positional)) or None, "code": code, "in_words": True}
                action |= {"fields": named.pop("fields").split(",")} if "fields" in named else {}
                action |= {"members": named.pop("members")} if "members" in named else {}
                action |= {name: float(named.pop(name)) for name in ("zoom", "tolerance", "min_move") if name in named}
                action |= {"precision": int(named.pop("precision"))} if "precision" in named else {}
                action |= {"properties": {name: value.split(",") for name, value in named.items()}}
                if self._sight.refuses(action):
                    content = {"error": {"code": "access_denied", "message": "no"}}
                    self._send({"source": "websocket", "content": content, "timestamp": 0.0, "client_reference": None})
                else:
                    self._set_look(Look.of(action))
            case "PROJECTION":
                self._project(int(positional[0].split(":")[1]))

    def _call(self, method, parameters, answer, refuse):
        match method:
            case "ping" | "buffer":
                answer("pong")
            case "subscribe":
                form = parameters.get("format", "events") if "track" in parameters else "plain"
                if self._fake.fault == "answers late":
                    self._track(parameters["channel"], form)
                answer({"channel": parameters["channel"], "tracked": form != "plain"})
                if self._fake.fault != "answers late":
                    self._track(parameters["channel"], form)
            case "unsubscribe":
                self._maps.pop(parameters["channel"], None)
                answer({"channel": parameters["channel"], "subscribed": False})
            case "viewport":
                code = int(parameters["crs"].split(":")[1]) if "crs" in parameters else self._sight.code
                effective = {"bbox": parameters.get("bbox"), "crs": f"EPSG:{code}"}
                effective |= {"fields": sorted(parameters["fields"])} if "fields" in parameters else {}
                action = parameters | {"box": parameters.get("bbox"), "code": code}
                if self._sight.refuses(action):
                    refuse()
                else:
                    answer(parameters | effective)
                    self._set_look(Look.of(action))
            case "projection":
                answer({"crs": parameters["crs"]})
                self._project(int(parameters["crs"].split(":")[1]))

    def _track(self, channel, form):
        self._maps[channel], self._forms[channel] = {}, form
        if self._fake.fault == "shows stored deletions":
            stored = self._fake.stored[channel].items()
            self._fake.live[channel] |= {key: feature for key, feature in stored if feature.is_deletion}
        for key in self._fake.live[channel]:
            self.look(channel, key)

    def _set_look(self, look):
        fault, old, self._sight.look = self._fake.fault, self._sight.look, look
        if fault == "enters twice":
            self._maps = {channel: {} for channel in self._maps}
        has_other_fields = look.fields != old.fields and fault != "keeps the old fields"
        has_other_detail = look.detail.asked != old.detail.asked and fault != "keeps the old detail"
        self._look_at_all(published=has_other_fields or has_other_detail or fault == "updates all on pans")

    def _project(self, code):
        if self._fake.fault != "keeps the old system":
            self._sight.code = code
        self._look_at_all(published=True)


def _rights(request):
    """What the token of a request grants, wherever it stands."""
    said = " ".join([request.path, *(value for _, value in request.headers.raw_items())])
    token = re.search(r"(?<=token=)\S+|(?<=Bearer )\S+|(?<=bearer\.)[^\s,]+", said)
    return Rights(claims_of(token[0])["geo"]) if token else None
