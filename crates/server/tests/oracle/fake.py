"""A server of the tests of this folder: tracking in its simplest form, and wrong in one way if it is told to be."""

import asyncio
import json
import time

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from feature import DATA, Feature
from publisher import tombstone
from truth import key_of
from view import View

#: What it can do wrong.
FAULTS = (
    "forgets leaves", "forgets leaves of pans", "enters twice", "tests vertices only", "sends old states", "keeps the old system",
    "open edges", "sends leaves with geometry", "gives wrong reasons", "keeps what is deleted", "forgets expiry",
    "expires too early", "sends what is outside", "loses messages", "updates all on pans", "swaps axes", "drops heights",
    "answers late", "shows stored deletions",
)


class Fake:
    """One node with an embedded store, and channels as in a plan."""

    def __init__(self, channels, fault=None):
        assert fault is None or fault in FAULTS
        self.fault, self._channels = fault, channels
        self.stored = {name: {} for name in channels}
        self.live = {name: {} for name in channels}
        self.heard, self.connections = {}, set()

    async def __aenter__(self):
        self._server = await serve(self._connection, "127.0.0.1", 0, max_size=None)
        self._sweeper = asyncio.create_task(self._sweep())
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._sweeper.cancel()
        self._server.close()

    # The way in.

    async def put(self, channel, key, document):
        self.stored[channel][key] = self.feature(channel, document)
        await self.tell(channel, document)

    async def delete(self, channel, key):
        self.stored[channel].pop(key, None)
        await self.tell(channel, tombstone(key))
        return True

    async def tell(self, channel, document):
        if document.get("type") != "Feature" or self.id_of(channel, document) is None:
            for connection in self.connections:
                connection.message(channel, document)
            return
        feature, key, live = self.feature(channel, document), key_of(self.id_of(channel, document)), self.live[channel]
        if feature.is_deletion:
            if self.fault != "keeps what is deleted":
                live.pop(key, None)
        else:
            live[key] = feature
        self.heard[channel, key] = time.monotonic()
        for connection in self.connections:
            connection.look(channel, key, "deleted" if feature.is_deletion else "moved", published=True)

    async def close(self):
        pass

    def feature(self, channel, document):
        return Feature(document, self._channels[channel].get("code", DATA))

    def id_of(self, channel, document):
        track_key = self._channels[channel].get("track_key")
        return document.get("id", (document.get("properties") or {}).get(track_key))

    async def _sweep(self):
        while True:
            await asyncio.sleep(0.05)
            for channel, settings in self._channels.items():
                stale_after = settings.get("stale_after")
                if stale_after is None or self.fault == "forgets expiry":
                    continue
                limit = time.monotonic() - stale_after * (0.3 if self.fault == "expires too early" else 1)
                for key in [key for key in self.live[channel] if self.heard[channel, key] < limit]:
                    del self.live[channel][key]
                    for connection in self.connections:
                        connection.look(channel, key, "expired")

    async def _connection(self, socket):
        connection = Connection(self, socket)
        self.connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            async for frame in socket:
                connection.read(frame)
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)
            writer.cancel()


class Storing:
    """Another way into it, by which a deletion is stored as such."""

    def __init__(self, fake):
        self.put, self.tell, self.close = fake.put, fake.tell, fake.close

    async def delete(self, channel, key):
        await self.put(channel, key, tombstone(key))
        return True


class Connection:
    """What the fake knows of one client."""

    def __init__(self, fake, socket):
        self._fake, self._socket, self._waiting = fake, socket, asyncio.Queue()
        self._view, self._code, self._maps, self._forms = None, DATA, {}, {}
        self._is_rpc = socket.request.path == "/rpc"
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
        self._call(call["method"], call.get("params", {}), answer)

    def look(self, channel, key, reason, published=False):
        """Tells the client of a key what it must be told."""
        known = self._maps.get(channel)
        if known is None:
            return
        fault, feature = self._fake.fault, self._fake.live[channel].get(key)
        inside = feature is not None and self._shows(feature)
        if fault == "sends what is outside" and feature is not None and feature.version % 5 == 0:
            inside = True
        if inside and (key not in known or published):
            content = known.get(key, feature) if fault == "sends old states" and not feature.is_placeless else feature
            self._event(channel, "update" if key in known else "enter", feature, content)
            known[key] = feature
        elif not inside and key in known:
            if fault == "forgets leaves" or fault == "forgets leaves of pans" and reason == "viewport":
                return
            if fault == "gives wrong reasons":
                reason = "moved"
            self._event(channel, "leave", known.pop(key), None, reason)

    def message(self, channel, document):
        if channel in self._maps and self._fake.fault != "loses messages":
            members = [one for one in document.get("features", [document]) if one.get("type") == "Feature"]
            features = [self._fake.feature(channel, one) for one in members]
            if not features or any(self._shows(feature) for feature in features):
                if "features" in document:
                    members = [feature.document | {"geometry": feature.geometry(self._code)} for feature in features]
                    document = document | {"features": members}
                elif features:
                    document = document | {"geometry": features[0].geometry(self._code)}
                self._push(channel, "message", document, {"content": document})

    async def write(self):
        while True:
            await self._socket.send(await self._waiting.get())

    def _shows(self, feature):
        fault = self._fake.fault
        if not feature.is_finite(self._code):
            return False
        if self._view is None or feature.is_placeless:
            return True
        if not feature.is_finite(self._view.code):
            return False
        left, bottom, right, top = self._view.box
        shape = feature.shape(self._view.code)
        if fault == "open edges" and shape.geom_type == "Point":
            return left < shape.x < right and bottom < shape.y < top
        if fault == "tests vertices only":
            positions = _positions(feature.geometry(self._view.code))
            return any(left <= x <= right and bottom <= y <= top for x, y, *_ in positions)
        return self._view.nearly_holds(feature)

    def _look_at_all(self, reason, published=False):
        for channel, known in self._maps.items():
            for key in set(known) | set(self._fake.live[channel]):
                self.look(channel, key, reason, published)

    def _event(self, channel, kind, feature, content, reason=None):
        key, form = self._fake.id_of(channel, feature.document), self._forms[channel]
        if content is not None:
            geometry = content.geometry(self._code)
            if self._fake.fault == "swaps axes" and geometry and geometry["type"] == "Point" and self._code == 3035:
                geometry = geometry | {"coordinates": geometry["coordinates"][1::-1]}
            if self._fake.fault == "drops heights" and geometry and geometry["type"] == "Point":
                geometry = geometry | {"coordinates": geometry["coordinates"][:2]}
            content = content.document | {"geometry": geometry}
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
                self._track(positional[0], "maplibre" if "maplibre" in positional else "events")
            case "DEL":
                self._maps.pop(positional[0], None)
            case "BBOX":
                code = int(named["crs"].split(":")[1]) if "crs" in named else self._code
                self._set_view(tuple(map(float, positional)), code)
            case "PROJECTION":
                self._project(int(positional[0].split(":")[1]))

    def _call(self, method, parameters, answer):
        match method:
            case "ping" | "buffer":
                answer("pong")
            case "subscribe":
                track = lambda: self._track(parameters["channel"], parameters.get("format", "events"))
                if self._fake.fault == "answers late":
                    track()
                answer({"channel": parameters["channel"], "tracked": True})
                if self._fake.fault != "answers late":
                    track()
            case "unsubscribe":
                self._maps.pop(parameters["channel"], None)
                answer({"channel": parameters["channel"], "subscribed": False})
            case "viewport":
                code = int(parameters["crs"].split(":")[1]) if "crs" in parameters else self._code
                answer({"bbox": parameters.get("bbox"), "crs": f"EPSG:{code}"})
                self._set_view(tuple(parameters.get("bbox", ())), code)
            case "projection":
                answer({"crs": parameters["crs"]})
                self._project(int(parameters["crs"].split(":")[1]))

    def _track(self, channel, form):
        self._maps[channel], self._forms[channel] = {}, form
        if self._fake.fault == "shows stored deletions":
            stored = self._fake.stored[channel].items()
            self._fake.live[channel] |= {key: feature for key, feature in stored if feature.is_deletion}
        for key in self._fake.live[channel]:
            self.look(channel, key, "viewport")

    def _set_view(self, box, code):
        self._view = View(box, code) if box else None
        if self._fake.fault == "enters twice":
            self._maps = {channel: {} for channel in self._maps}
        self._look_at_all("viewport", published=self._fake.fault == "updates all on pans")

    def _project(self, code):
        if self._fake.fault != "keeps the old system":
            self._code = code
        self._look_at_all("viewport", published=True)


def _positions(geometry):
    if geometry["type"] == "GeometryCollection":
        return [position for member in geometry["geometries"] for position in _positions(member)]
    rows = [geometry["coordinates"]]
    while isinstance(rows[0][0], list):
        rows = [row for nested in rows for row in nested]
    return rows
