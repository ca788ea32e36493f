"""Pushes of rohrpost: what publishers send, and what is written into watched hashes."""

import asyncio
import json
import time

from rohrpost_client import CHANGES, UPDATE, check_update, decode
from rohrpost_world import QUIET, check, command, equal, subscribed, true, updates

# Pushes of publishers.


@check
async def other_json_becomes_the_object_of_an_update(server, world):
    async with subscribed(server, "news", 1) as one:
        seen = set()
        for value in [{"a": 1}, {"a": {"b": []}}, [1, 2], "text", 5, 1.0, 2**64, True, None, {}, [], "", {"type": UPDATE}, {"id": 1, "type": UPDATE},
                      {"updated_fields": ["a"]}]:  # fmt: skip
            await server.publish("news-1", value)
            frame = await one.next()
            message = decode(frame)
            equal(message.get("type"), UPDATE, repr(value))
            true(type(message.get("id")) is int, f"an id that is no whole number: {frame}")
            seen.add(message["id"])
            equal(message.get("data"), {"group": "news-1", "type": "update", "object": value}, repr(value))
            equal(sorted(message), ["data", "id", "type"])
        true(len(seen) > 1, "all pushes have the same id")


@check
async def a_ready_push_passes_as_it_is(server, world):
    async with subscribed(server, "ready", 1) as one:
        for kind in CHANGES:
            data = f'{{"group":"ready-1","type":"{kind}", "object":{{"z":1.0,"a":[ ],"updated_fields":["z"]}}}}'
            whole = f'{{"id": 77, "type":"subscription-update","data":{data}}}'
            await server.publish("ready-1", whole.encode())
            equal(await one.next(), whole, "byte for byte")
            await server.publish("ready-1", data.encode())
            frame = await one.next()
            true(frame.endswith(f',"data":{data}}}'), f"the data byte for byte: {frame}")
            check_update(decode(frame), frame)


@check
async def nobody_speaks_for_another_group(server, world):
    async with subscribed(server, "ready", 1) as one:
        data = {"group": "ready-2", "type": "delete", "object": {"id": 2}}
        for forged in [data, {"id": 7, "type": UPDATE, "data": data}]:
            await server.publish("ready-1", forged)
            equal(await one.update(), {"group": "ready-1", "type": "update", "object": forged})


@check
async def pushes_come_in_order_and_none_is_lost(server, world):
    async with subscribed(server, "order", 1) as one:
        for n in range(100):
            await server.publish("order-1", {"n": n})
        equal([(await one.update())["object"]["n"] for _ in range(100)], list(range(100)))


@check
async def what_is_published_right_after_the_reply_arrives(server, world):
    for n in range(20):
        async with subscribed(server, "after", n) as one:
            await server.publish(f"after-{n}", {"n": n})
            equal((await one.update())["object"], {"n": n})


@check
async def groups_do_not_mix(server, world):
    async with subscribed(server, "mixed", 1) as one, subscribed(server, "mixed", 11) as eleven:
        await server.publish("mixed-1", 1)
        await server.publish("mixed-11", 11)
        equal((await one.update())["object"], 1)
        equal((await eleven.update())["object"], 11)
        await one.quiet("of the other group")


# Watched hashes. `conformance:<id>` is an object, `conformance_table` is a table of objects.


def fresh(world):
    world["fresh"] = world.get("fresh", int(time.time() * 1000) % 10**9) + 1
    return world["fresh"]


@check
async def a_watched_object_is_created_updated_deleted(server, world):
    n = fresh(world)
    group = f"conformance-{n}"
    async with subscribed(server, "conformance", n) as one:
        await server.hset(f"conformance:{n}", "name", "Anna")
        created = await one.update()
        equal([created["group"], created["type"]], [group, "create"], repr(created))
        equal(created["object"].get("name"), "Anna", repr(created))
        await server.hset(f"conformance:{n}", "age", 5)
        updated = await one.update()
        equal([updated["group"], updated["type"]], [group, "update"], repr(updated))
        equal(updated["object"].get("age"), 5, repr(updated))
        equal(updated["object"].get("updated_fields"), ["age"], repr(updated))
        await server.hset(f"conformance:{n}", "name", "Berta")
        updated = await one.update()
        equal([updated["type"], updated["object"].get("name"), updated["object"].get("updated_fields")], ["update", "Berta", ["name"]], repr(updated))
        await server.hdel(f"conformance:{n}", "age")
        shrunk = await one.update()
        equal([shrunk["type"], "age" in shrunk["object"], shrunk["object"].get("updated_fields")], ["update", False, ["age"]], repr(shrunk))
        await server.hdel(f"conformance:{n}", "name")
        equal((await one.update())["type"], "delete")
        await one.quiet("more pushes than changes")


@check
async def a_watched_table_has_objects_as_rows(server, world):
    n = fresh(world)
    async with subscribed(server, "conformance_table", n) as one:
        await server.hset("conformance_table", str(n), {"name": "Anna", "age": 5})
        created = await one.update()
        equal([created["group"], created["type"]], [f"conformance_table-{n}", "create"], repr(created))
        equal([created["object"].get("name"), created["object"].get("age")], ["Anna", 5], repr(created))
        await server.hset("conformance_table", str(n), {"name": "Berta", "age": 5})
        updated = await one.update()
        equal([updated["type"], updated["object"].get("name")], ["update", "Berta"], repr(updated))
        equal(updated["object"].get("updated_fields", ["name"]), ["name"], repr(updated))
        await server.hset("conformance_table", f"{n}0", {"name": "Another"})
        await one.quiet("of another row")
        await server.hdel("conformance_table", str(n))
        equal((await one.update())["type"], "delete")
        await one.quiet("more pushes than changes")


@check
async def what_is_not_watched_is_not_pushed_so(server, world):
    n = fresh(world)
    async with subscribed(server, "unwatched", n) as one:
        await server.hset(f"unwatched:{n}", "name", "Anna")
        await server.hdel(f"unwatched:{n}", "name")
        await one.quiet("of a hash that is not watched")


@check
async def values_that_nest_too_deep_are_strings(server, world):
    n = fresh(world)
    deep = [[]]
    for _ in range(28):
        deep = [deep]
    async with subscribed(server, "conformance", n) as one:
        await server.hset(f"conformance:{n}", "deep", deep)
        equal((await one.update())["object"]["deep"], deep, "30 levels")
        await server.hset(f"conformance:{n}", "deep", [deep])
        equal((await one.update())["object"]["deep"], json.dumps([deep]), "31 levels")


@check
async def the_last_of_many_changes_is_pushed(server, world):
    n = fresh(world)
    async with subscribed(server, "conformance", n) as one:
        for value in range(100):
            await server.hset(f"conformance:{n}", "value", value)
        got = await updates(one, lambda update: update["object"].get("value") == 99, "the last change never came")
        equal([update["type"] for update in got], ["create"] + ["update"] * (len(got) - 1))
        values = [update["object"]["value"] for update in got]
        equal(values, sorted(values), "out of order")
        if not server.redis:
            equal(values, list(range(100)), "the store's own writes are all known")


@check
async def whole_hashes_come_and_go_in_redis(server, world):
    if not server.redis:
        return
    n = fresh(world)
    async with subscribed(server, "conformance", n) as one:
        await command(server.redis, "HSET", f"conformance:{n}", "a", "1", "b", '"x"', "c", "no JSON")
        created = await one.update()
        equal([created["type"], created["object"].get("a"), created["object"].get("b")], ["create", 1, "x"], repr(created))
        equal(created["object"].get("c"), "no JSON", repr(created))
        await command(server.redis, "DEL", f"conformance:{n}")
        equal((await one.update())["type"], "delete")
        await command(server.redis, "HSET", f"conformance:{n}", "a", "1")
        equal((await one.update())["type"], "create")
        await command(server.redis, "RENAME", f"conformance:{n}", f"conformance:{n}0")
        equal((await one.update())["type"], "delete", "renamed away")
        await command(server.redis, "RENAME", f"conformance:{n}0", f"conformance:{n}")
        equal((await one.update())["type"], "create", "renamed back")
        await command(server.redis, "HINCRBY", f"conformance:{n}", "a", "4")
        incremented = await one.update()
        equal([incremented["type"], incremented["object"].get("a")], ["update", 5], repr(incremented))
        await command(server.redis, "PEXPIRE", f"conformance:{n}", "50")
        got = await updates(one, lambda update: update["type"] == "delete", "expired without a push")
        equal(len(got), 1, "pushes of an expiry")
        await one.quiet("more pushes than changes")


@check
async def objects_that_were_there_before_are_updated(server, world):
    n = fresh(world)
    await server.hset(f"conformance:{n}", "name", "Anna")
    await asyncio.sleep(QUIET)
    async with subscribed(server, "conformance", n) as one:
        await one.quiet("pushed without a change")
        await server.hset(f"conformance:{n}", "name", "Berta")
        equal((await one.update())["type"], "update")
