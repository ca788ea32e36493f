"""A strict client of rohrpost, the WebSocket protocol of request, reply and subscription-update.

Like rohrpost-js it takes a frame that answers nothing it asked, and is no subscription-update, for a broken server: the connection
is closed and whatever waits on the client raises `ProtocolError`.

    async with await RohrpostClient.connect("ws://localhost:8765/rohrpost/") as client:
        group = await client.subscribe("collection", 5, print)
        await client.ping({"any": "thing"})
"""

import asyncio
import inspect
import itertools
import json
import math

from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

UPDATE = "subscription-update"
CHANGES = ("create", "update", "delete")
UNSET = object()


class ProtocolError(Exception):
    """The server broke the protocol; `frame` is what it sent."""

    def __init__(self, reason, frame):
        super().__init__(f"{reason}: {frame!r}")
        self.reason = reason
        self.frame = frame


class RequestError(Exception):
    """The server answered a request with an error."""

    def __init__(self, reply):
        super().__init__(reply["error"])
        self.error = reply["error"]
        self.reply = reply


def key_of(value):
    """What an id of any JSON kind is known by: 1, true, 1.0 and "1" are four ids; the order of an object's members is none."""
    return json.dumps(value, sort_keys=True)


def is_left_out(value):
    """Whether a reply omits such an id, so that nobody can tell what it answers."""
    return not value  # 0 and "", and with them the other empty values


def refuse_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def decode(frame):
    """The object in a frame of the server."""
    if not isinstance(frame, str):
        raise ProtocolError("a binary frame", frame)
    try:
        message = json.loads(frame, object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant)
    except ValueError as error:
        raise ProtocolError(f"not JSON ({error})", frame) from None
    if not isinstance(message, dict):
        raise ProtocolError("not an object", frame)
    return message


def check_update(message, frame):
    """`{"id", "type": "subscription-update", "data": {"group", "type", "object"}}`; returns its data."""
    if message.keys() != {"id", "type", "data"}:
        raise ProtocolError("an update has to have id, type and data", frame)
    if isinstance(message["id"], bool) or not isinstance(message["id"], int):
        raise ProtocolError("the id of an update has to be a whole number", frame)
    data = message["data"]
    if not isinstance(data, dict) or data.keys() != {"group", "type", "object"}:
        raise ProtocolError("the data of an update have to be group, type and object", frame)
    if not isinstance(data["group"], str) or data["type"] not in CHANGES:
        raise ProtocolError("an update without a group or of an unknown type", frame)
    if isinstance(data["object"], dict):
        fields = data["object"].get("updated_fields", [])
        if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
            raise ProtocolError("updated_fields have to be names", frame)
    return data


class RohrpostClient:
    """One connection. `on_update`, of all groups or of one, is called with the data of each update, in the order they arrive."""

    def __init__(self, websocket, on_update=None):
        self.websocket = websocket
        self.on_update = on_update
        self.failure = None
        self._groups = {}
        self._pending = {}
        self._ids = itertools.count(1)
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url, on_update=None, **options):
        return cls(await open_websocket(url, **options), on_update)

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        await self.close()
        if error is None and self.failure:
            raise self.failure

    async def close(self):
        await self.websocket.close()
        await asyncio.wait([self._reader])

    async def wait_closed(self):
        """Waits for the end of the connection and raises what ended it, unless it was closed in order."""
        await asyncio.wait([self._reader])
        if self.failure:
            raise self.failure

    async def ping(self, data=UNSET, **options):
        """The data of the pong; None where there are none."""
        reply = await self.request("ping", data, reply_type="pong", **options)
        return reply.get("data")

    async def subscribe(self, kind, object_id, on_update=None, **options):
        """The name of the group, whose updates `on_update` gets from now on."""
        group = f"{kind}-{object_id}"
        before = self._groups.get(group, UNSET)
        if on_update:
            self._groups[group] = on_update  # before the reply, after which an update may follow at once
        try:
            return await self._group_request("subscribe", kind, object_id, options)
        except RequestError:
            if on_update:
                self._groups.pop(group) if before is UNSET else self._groups.update({group: before})
            raise

    async def unsubscribe(self, kind, object_id, **options):
        """The name of the group. Updates that were under way may still come before the reply."""
        group = await self._group_request("unsubscribe", kind, object_id, options)
        self._groups.pop(group, None)
        return group

    async def _group_request(self, request_type, kind, object_id, options):
        group = f"{kind}-{object_id}"
        reply = await self.request(request_type, {"type": kind, "id": object_id}, **options)
        if reply.get("data") != {"group": group}:
            await self._fail(ProtocolError(f"the reply had to name the group {group}", reply))
            raise self.failure
        return group

    async def request(self, request_type, data=UNSET, *, id=UNSET, auth_jwt=None, reply_type=None, timeout=10):
        """Sends a request of any type and returns the whole reply. An `id` may be of any JSON kind that replies do not leave out."""
        if id is UNSET:
            id = next(number for number in self._ids if key_of(number) not in self._pending)
        if is_left_out(id) or isinstance(id, float) and not math.isfinite(id):
            raise ValueError(f"no reply could be told by the id {id!r}")
        key = key_of(id)
        if key in self._pending:
            raise ValueError(f"a request with the id {id!r} is under way")
        if self.failure:
            raise self.failure
        message = {"id": id, "type": request_type}
        if data is not UNSET:
            message["data"] = data
        if auth_jwt is not None:
            message["auth_jwt"] = auth_jwt
        text = json.dumps(message, allow_nan=False)
        reply = asyncio.get_running_loop().create_future()
        self._pending[key] = (reply_type or request_type, request_type, reply)
        try:
            await self.websocket.send(text)
        except ConnectionClosed:
            self._pending.pop(key, None)
            raise
        answer = await asyncio.wait_for(reply, timeout)  # given up, the id stays known: the reply may still come
        if "error" in answer:
            raise RequestError(answer)
        return answer

    async def _read(self):
        try:
            async for frame in self.websocket:
                await self._take(frame)
            failure = ConnectionError("the server closed the connection")
            code = self.websocket.close_code
            self.failure = None if code in (1000, 1001) else failure
            self._end(failure)
        except Exception as failure:  # of the protocol, of the connection, or of a callback
            await self._fail(failure)

    async def _take(self, frame):
        message = decode(frame)
        if message.get("type") == UPDATE:
            data = check_update(message, frame)
            callback = self._groups.get(data["group"], self.on_update)
            result = callback(data) if callback else None
            if inspect.isawaitable(result):
                await result
            return
        if "id" not in message or key_of(message["id"]) not in self._pending:
            raise ProtocolError("a frame without a known id", frame)
        expected, request_type, reply = self._pending.pop(key_of(message["id"]))
        if not message.keys() <= {"id", "type", "data", "error"}:
            raise ProtocolError("a reply with members of no meaning", frame)
        if "error" in message:
            # An error comes under the type of the request, and of a ping perhaps under that of its reply.
            if message.get("type") not in (request_type, expected) or not isinstance(message["error"], str):
                raise ProtocolError("an error without the type of its request or without a text", frame)
        elif message.get("type") != expected:
            raise ProtocolError(f"a reply that had to be of type {expected}", frame)
        elif "data" in message and not isinstance(message["data"], dict):
            raise ProtocolError("data that are no object", frame)
        if not reply.done():
            reply.set_result(message)

    async def _fail(self, failure):
        if self.failure is None:
            self.failure = failure
        self._end(failure)
        await self.websocket.close(1002 if isinstance(failure, ProtocolError) else 1000)

    def _end(self, failure):
        pending, self._pending = self._pending, {}
        for _, _, reply in pending.values():
            if not reply.done():
                reply.set_exception(failure)
