"""Clients that behave, and hold the server to its word while others do not."""

import asyncio
import json
from itertools import count

from wire import Socket

#: What an event is that is no message: some may be missing before the next one.
GAP = object()


class Rpc:
    """Calls of JSON-RPC on one connection; notifications go to `on_notice` with their method and parameters."""

    def __init__(self, on_notice=None):
        self._numbers, self._calls, self._on_notice = count(1), {}, on_notice
        self.socket = None

    async def open(self, address, path="/rpc"):
        self.socket = await Socket.open(address, path, self._take)
        return self

    async def call(self, method, patience=60, **parameters):
        """The result of a call. Raises RuntimeError for an error, TimeoutError, ConnectionResetError."""
        number = next(self._numbers)
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}))
        try:
            await asyncio.wait({answer, self.socket.ended}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise ConnectionResetError(f"closed with {self.socket.code}") if self.socket.ended.done() else TimeoutError(method)
        finally:
            del self._calls[number]

    def _take(self, message):
        document = json.loads(message)
        if "method" in document:
            if self._on_notice:
                self._on_notice(document["method"], document["params"])
        elif (call := self._calls.get(document["id"])) and not call.done():
            if "error" in document:
                call.set_exception(RuntimeError(document["error"]["message"]))
            else:
                call.set_result(document["result"])


class Numbers:
    """Follows a channel on which rising numbers are published."""

    def __init__(self, name, channel):
        self.name, self.channel, self.socket = name, channel, None
        #: What came, in its order: numbers, and GAP.
        self.events, self.faults = [], []
        #: Whether messages may change places, as they do between the masters of a cluster when a slot moves.
        self.may_change_places, self.changed_places = False, 0

    def faults_against(self, told):
        """What was wrong, `told` being the numbers that the store has surely told its subscribers."""
        if self.may_change_places:
            self._put_in_order()
        faults, last, gap, lost, announced = list(self.faults), 0, False, 0, 0
        for at, event in enumerate(self.events):
            if event is GAP:
                gap, announced = True, announced + 1
                continue
            if event <= last:
                faults.append(f"{event} came after {last}")
            missing = [number for number in range(last + 1, event) if number in told]
            lost += len(missing)
            if missing and not gap:
                around = ["gap" if e is GAP else e for e in self.events[max(0, at - 6):at + 6]]
                faults.append(f"{missing[:5]} did not come before {event}, and no gap was told: {around}")
            last, gap = max(last, event), False
        self.lost, self.gaps = lost, announced
        return [f"{self.name}: {fault}" for fault in faults]

    def _put_in_order(self):
        """Puts numbers to their places, and leaves gaps where they are."""
        came = [event for event in self.events if event is not GAP]
        numbers = iter(sorted(came))
        self.changed_places = sum(number != place for number, place in zip(came, sorted(came)))
        self.events = [event if event is GAP else next(numbers) for event in self.events]

    def has(self, number):
        """Whether that number has come, or a gap after all others: then it never does."""
        return bool(self.events) and self.events[-1] == number


class RpcNumbers(Numbers):
    """In JSON-RPC; with a history, the offsets have to rise as well."""

    def __init__(self, name, channel, history=False):
        super().__init__(name, channel)
        self._history, self._offset = history, None

    async def open(self, address):
        rpc = await Rpc(self._take).open(address)
        self.socket = rpc.socket
        await rpc.call("subscribe", channel=self.channel)
        return self

    def _take(self, method, parameters):
        if method == "gap":
            # Behind a gap the history may be another one, with offsets of its own.
            self._offset = None
            self.events.append(GAP)
        elif method == "message":
            self.events.append(parameters["content"])
            if self._history:
                self._rises(parameters.get("offset"))

    def _rises(self, offset):
        offset = _order(offset)
        if offset is None or self._offset is not None and offset <= self._offset:
            self.faults.append(f"offset {offset} after {self._offset}")
        self._offset = offset


class TextNumbers(Numbers):
    """In the text dialect."""

    async def open(self, address):
        opened = asyncio.get_running_loop().create_future()
        self._pong = opened
        self.socket = await Socket.open(address, "/ws", self._take)
        self.socket.send(f"SUB {self.channel}")
        self.socket.send("PING")
        await asyncio.wait_for(opened, 60)
        return self

    def _take(self, message):
        envelope = json.loads(message)
        content = envelope["content"]
        if envelope["source"] == self.channel:
            self.events.append(content)
        elif content == "PONG" and not self._pong.done():
            self._pong.set_result(None)
        elif isinstance(content, dict) and "gap" in content:
            self.events.append(GAP)


class Map:
    """Tracks a channel of points in a box, or everywhere."""

    def __init__(self, name, channel, box=None):
        self.name, self.channel, self.box = name, channel, box
        self.features, self.faults, self.socket = {}, [], None

    async def open(self, address):
        rpc = await Rpc(self.take).open(address)
        self.socket = rpc.socket
        if self.box:
            await rpc.call("viewport", bbox=self.box)
        # An error that the state cannot be read leaves the subscription in force.
        try:
            await rpc.call("subscribe", channel=self.channel, track=True)
        except RuntimeError:
            pass
        return self

    def shows(self, state):
        """Whether the map is what the box shows of a state: features by their key."""
        return self.features == {key: feature for key, feature in state.items() if self._is_inside(feature)}

    def difference(self, state):
        wanted = {key: feature for key, feature in state.items() if self._is_inside(feature)}
        keys = sorted(key for key in wanted.keys() | self.features.keys() if wanted.get(key) != self.features.get(key))
        return f"{self.name}: {len(keys)} of {len(wanted)} keys differ from the store: {keys[:5]}"

    def faults_against(self, _):
        return [f"{self.name}: {fault}" for fault in self.faults]

    def take(self, method, parameters):
        """Takes up a notification."""
        key = str(parameters.get("key"))
        if method == "enter":
            if key in self.features:
                self.faults.append(f"enter of {key}, which it has")
            self.features[key] = parameters["content"]
        elif method in ("update", "leave"):
            if key not in self.features:
                self.faults.append(f"{method} of {key}, which it does not have")
            if method == "leave":
                self.features.pop(key, None)
            else:
                self.features[key] = parameters["content"]

    def _is_inside(self, feature):
        if self.box is None:
            return True
        left, bottom, right, top = self.box
        x, y = feature["geometry"]["coordinates"]
        return left <= x <= right and bottom <= y <= top


def _order(offset):
    """Offsets are numbers, or ids of entries of a stream."""
    if isinstance(offset, str) and "-" in offset:
        return tuple(int(part) for part in offset.split("-"))
    return None if offset is None else (int(offset), 0)
