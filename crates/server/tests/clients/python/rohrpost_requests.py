"""Requests and replies of rohrpost: every fault, pings, subscriptions."""

import asyncio
import json

from rohrpost_client import UPDATE, ProtocolError, RohrpostClient, decode
from rohrpost_world import PATIENCE, QUIET, check, equal, raw, subscribed, true

EMPTY = {"error": "Received empty message."}
NO_OBJECT = {"error": "Expected a JSON object as message."}
NO_TYPE = {"error": "Missing required field 'type'."}
NO_ID = {"error": "Missing required field 'id'."}


# Faults and their order.


@check
async def after_the_handshake_there_is_silence(server, world):
    async with raw(server) as one:
        await one.quiet("sent unasked", 1)


@check
async def empty_and_binary_frames(server, world):
    async with raw(server) as one:
        for frame in ["", b"", b"\x00\xff", b'{"id":1,"type":"ping"}', b"[]"]:
            equal(await one.ask(frame), EMPTY, repr(frame))
        await one.websocket.send([""])
        equal(decode(await one.next()), EMPTY, "empty, in fragments")


@check
async def what_is_not_json(server, world):
    async with raw(server) as one:
        for frame in [" ", "x", "{", '{"id":1,"type":"ping"', '{"id":1,"type":"ping"} x', "{'id':1}", '{"id":1,}', "\ufeff{}", '"', "[1", "nul",
                      '{"id":01,"type":"ping"}', '{"id":1,"type":"ping","data":"\t"}', '{"id":1,"type":"ping"}{"id":2,"type":"ping"}']:  # fmt: skip
            reply = await one.ask(frame)
            equal(sorted(reply), ["error"], repr(frame))
            true(reply["error"].startswith("Could not decode JSON message. Error: "), f"{frame!r}: {reply}")
            true(len(reply["error"]) > len("Could not decode JSON message. Error: "), "says what is wrong")


@check
async def what_is_no_object(server, world):
    async with raw(server) as one:
        for frame in ["[]", "1", '"ping"', "null", "true", '[{"id":1,"type":"ping"}]', " 0.5 "]:
            equal(await one.ask(frame), NO_OBJECT, frame)


@check
async def missing_fields_in_order(server, world):
    async with raw(server) as one:
        for frame in [{}, {"id": 1}, {"id": 0}, {"data": {}}, {"Type": "ping", "id": 1}, {"id": 1, "auth_jwt": "x"}]:
            equal(await one.ask(frame), NO_TYPE, frame)
        for frame in [{"type": "ping"}, {"type": "unknown"}, {"type": ""}, {"type": 5}, {"type": "subscribe"}, {"type": "ping", "ID": 1}]:
            equal(await one.ask(frame), NO_ID, frame)


@check
async def unknown_types(server, world):
    async with raw(server) as one:
        for name in ["x", "", "PING", "ping ", "pong", UPDATE, "ä\u2028\n\"'", "__proto__", "x" * 1000]:
            expected = {"id": 1, "type": name, "error": f"Unknown message type '{name}'."}
            equal(await one.ask({"id": 1, "type": name, "data": {"a": 1}}), expected, name)
        equal(await one.ask({"id": 0, "type": "x"}), {"type": "x", "error": "Unknown message type 'x'."}, "id 0")
        equal(await one.ask({"id": "", "type": "x"}), {"type": "x", "error": "Unknown message type 'x'."}, 'id ""')


@check
async def a_type_that_is_no_string(server, world):
    async with raw(server) as one:
        for value in [5, 0, 1.5, None, True, False, [], {}, ["ping"], {"ping": 1}]:
            reply = await one.ask({"id": 7, "type": value})
            true(isinstance(reply.get("error"), str) and "data" not in reply, f"{value!r}: {reply}")
            equal(reply.get("id"), 7, repr(value))
        equal(await one.ask({"id": 1, "type": "ping"}), {"id": 1, "type": "pong"}, "still there")


# Ping, ids and data.

IDS = [1, -1, 2**53 + 1, 2**63, 10**25, 1.5, 1.0, 1e300, "a", "0", " ", "ä\u2028\"\\\u0000😀", True, [1, "2"], {"b": 1, "a": [None]}, [0], {"": ""}]


@check
async def ids_of_all_kinds_come_back(server, world):
    async with raw(server) as one:
        for value in IDS:
            equal(await one.ask({"id": value, "type": "ping"}), {"id": value, "type": "pong"}, repr(value))


@check
async def empty_ids_are_left_out(server, world):
    async with raw(server) as one:
        for value in [0, ""]:
            equal(await one.ask({"id": value, "type": "ping"}), {"type": "pong"}, repr(value))
            equal(await one.ask({"id": value, "type": "ping", "data": {"a": 1}}), {"type": "pong", "data": {"a": 1}}, repr(value))
            reply = await one.ask({"id": value, "type": "subscribe", "data": {"type": "empty", "id": 1}})
            equal(reply, {"type": "subscribe", "data": {"group": "empty-1"}}, repr(value))


@check
async def ping_data(server, world):
    async with raw(server) as one:
        equal(await one.ask({"id": 1, "type": "ping"}), {"id": 1, "type": "pong"})
        for data in [{"a": 1}, {"data": {}}, {"data": 1}, {"a": None}, {"error": "x"}, {"n": 10**25, "f": 1.0}]:
            equal(await one.ask({"id": 1, "type": "ping", "data": data}), {"id": 1, "type": "pong", "data": data}, repr(data))
        for data in ["x", 1, -1.5, True, [1], [[]], "{}", [None], 2**64, " "]:
            equal(await one.ask({"id": 1, "type": "ping", "data": data}), {"id": 1, "type": "pong", "data": {"data": data}}, repr(data))
        for data in ["", [], {}, None]:
            equal(await one.ask({"id": 1, "type": "ping", "data": data}), {"id": 1, "type": "pong"}, repr(data))


@check
async def whitespace_order_and_extra_members_do_not_matter(server, world):
    async with raw(server) as one:
        equal(await one.ask(' \r\n\t{ "data":{"a":1}, "more":[1], "type" : "p\\u0069ng", "id":1 } \n'), {"id": 1, "type": "pong", "data": {"a": 1}})


@check
async def many_requests_at_once(server, world):
    async with await RohrpostClient.connect(server.url) as client:
        replies = await asyncio.gather(*(client.ping({"n": n}) for n in range(300)))
        equal(replies, [{"n": n} for n in range(300)])


@check
async def the_client_raises_on_what_it_did_not_ask(server, world):
    for frame in ['{"type":"ping"}', '{"id":0,"type":"ping"}', '{"id":99,"type":"ping"}', "[]", ""]:
        client = await RohrpostClient.connect(server.url)
        await client.websocket.send(frame)
        try:
            await asyncio.wait_for(client.wait_closed(), PATIENCE)
        except ProtocolError:
            continue
        raise AssertionError(f"no ProtocolError after {frame}")


# Subscribe and unsubscribe.


@check
async def subscribe_and_unsubscribe(server, world):
    got = asyncio.Queue()
    async with await RohrpostClient.connect(server.url) as client:
        equal(await client.subscribe("collection", 5, got.put), "collection-5")
        await server.publish("collection-5", {"a": 1})
        equal(await asyncio.wait_for(got.get(), PATIENCE), {"group": "collection-5", "type": "update", "object": {"a": 1}})
        equal(await client.unsubscribe("collection", 5), "collection-5")
        await server.publish("collection-5", {"a": 2})
        await asyncio.sleep(QUIET)
        true(got.empty(), "an update after unsubscribe")
        equal(await client.subscribe("collection", "a-b", id="s"), "collection-a-b")
        for value in IDS:
            await client.subscribe("collection", 5, id=value)
            await client.unsubscribe("collection", 5, id=value)


@check
async def subscribing_twice_pushes_once(server, world):
    async with subscribed(server, "twice", 1) as one:
        equal((await one.ask({"id": 2, "type": "subscribe", "data": {"type": "twice", "id": 1}})).get("data"), {"group": "twice-1"})
        await server.publish("twice-1", {"a": 1})
        await one.update()
        await one.quiet("a second push")
        equal((await one.ask({"id": 3, "type": "unsubscribe", "data": {"type": "twice", "id": 1}})).get("data"), {"group": "twice-1"})
        await server.publish("twice-1", {"a": 2})
        await one.quiet("a push after unsubscribe")


@check
async def subscribe_with_data_that_name_nothing(server, world):
    async with raw(server) as one:
        for kind in ["subscribe", "unsubscribe"]:
            for data in [None, 5, "x", [], {}, {"type": "collection"}, {"id": 5}, {"type": 5, "id": 5}, {"type": "a", "id": {}}, {"type": "a", "id": [1]}]:
                reply = await one.ask({"id": 1, "type": kind, "data": data})
                equal(sorted(reply), ["error", "id", "type"], f"{kind} {data!r}: {reply}")
                equal([reply["id"], reply["type"]], [1, kind])
            reply = await one.ask({"id": 1, "type": kind})
            equal(sorted(reply), ["error", "id", "type"], f"{kind} without data: {reply}")
        equal(await one.ask({"id": 1, "type": "ping"}), {"id": 1, "type": "pong"}, "still there")
