"""Checks a geocast server against what the rohrpost dialect promises.

    rohrpost_conformance.py BINARY [--redis URL]

starts servers of its own from BINARY (`geocast`), on the embedded store or on the Redis at URL, which is told to tell of writes
and gets keys that begin with `conformance`. Prints a line for each check; exits with 1 if any failed.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

# Whose checks enter themselves into the list.
import rohrpost_requests, rohrpost_pushes  # noqa: E401, F401
from rohrpost_client import RequestError, RohrpostClient
from rohrpost_world import CHECKS, SECRET, Endpoint, Server, check, command, equal, raw, told_of_writes, token, true

# Refusals and tokens, on a server where only `open-*` is open.


@check
async def refusals(server, world):
    async with raw(world["closed"]) as one:
        for kind in ["subscribe", "unsubscribe"]:
            for value in ["a", 1, {"a": 1}]:
                reply = await one.ask({"id": value, "type": kind, "data": {"type": "secret", "id": 5}})
                if kind == "unsubscribe" and "data" in reply:
                    equal(reply, {"id": value, "type": kind, "data": {"group": "secret-5"}})
                else:
                    equal(reply, {"id": value, "type": kind, "error": "ACCESS_DENIED"})
        equal(await one.ask({"id": 0, "type": "subscribe", "data": {"type": "secret", "id": 5}}), {"type": "subscribe", "error": "ACCESS_DENIED"})
        if server.redis:
            await world["closed"].publish("secret-5", {"a": 1})
        await one.quiet("of a group that was refused")


@check
async def auth_jwt_is_the_identity_of_one_request(server, world):
    closed = world["closed"]
    granted = token(channels={"sub": ["secret-5"]})
    async with await RohrpostClient.connect(closed.url) as client:

        async def refused(kind, object_id, reason="ACCESS_DENIED", **options):
            try:
                await client.subscribe(kind, object_id, **options)
            except RequestError as error:
                equal(error.error, reason)
                return
            raise AssertionError(f"{kind}-{object_id} was not refused")

        equal(await client.subscribe("open", 1), "open-1")
        await refused("secret", 5)
        equal(await client.subscribe("secret", 5, auth_jwt=granted), "secret-5")
        await refused("secret", 6, auth_jwt=granted)
        await client.unsubscribe("secret", 5, auth_jwt=granted)
        await refused("secret", 5)
        await refused("secret", 5, auth_jwt=granted[:-3] + "abc")
        await refused("secret", 5, auth_jwt=token(channels={"sub": ["secret-5"]}, exp=int(time.time()) - 3600))
        await refused("secret", 5, auth_jwt="rubbish")
        await refused("secret", 5, "Field 'auth_jwt' must be a string.", auth_jwt=5)
        await client.ping({"a": 1}, auth_jwt=granted)


# Handlers.


@check
async def a_handler_answers_under_the_id_and_type(server, world):
    endpoint = world["endpoint"]
    async with await RohrpostClient.connect(server.url) as client:
        endpoint.requests.clear()
        reply = await client.request("send", {"a": 1}, id="x")
        equal(reply, {"id": "x", "type": "send", "data": {"echo": {"a": 1}}})
        request = endpoint.requests[0]
        equal([request.get("id"), request.get("type"), request.get("data")], ["x", "send", {"a": 1}], "the endpoint gets the request")
        for kind in ["broken", "garbage", "nobody"]:
            try:
                raise AssertionError(f"{kind}: {await client.request(kind, {})}")
            except RequestError as error:
                equal([error.reply["type"], sorted(error.reply)], [kind, ["error", "id", "type"]])
        slow = asyncio.create_task(client.request("slow", {"n": 1}))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await client.ping()
        true(time.monotonic() - began < 0.3, "a slow handler holds up a ping")
        equal((await slow)["data"], {"echo": {"n": 1}})


@check
async def two_handlers_of_a_type_are_a_configuration_error(server, world):
    def run(*options):
        try:
            return subprocess.run([world["binary"], "serve", "--port", "0", *options], capture_output=True, text=True, timeout=5).returncode
        except subprocess.TimeoutExpired:
            return "no error: it serves"

    for value in [["send=http://a/1", "send=http://a/2"], ["ping=http://a/1"], ["subscribe=http://a/1"], ["unsubscribe=http://a/"]]:
        many = [word for one in value for word in ("--rohrpost-handler", one)]
        equal(await asyncio.to_thread(run, *many), 2, repr(value))
    equal(await asyncio.to_thread(run, "--rohrpost-handler", "send=http://a/1,send=http://a/2"), 2, "in one option")

MOST_SECONDS = 180  # of which some ten are needed


async def run(options):
    if options.redis:
        await command(options.redis, "CONFIG", "SET", "notify-keyspace-events", "Ehgxe")
    endpoint = Endpoint()
    names = ["send", "slow", "broken", "garbage"]
    handlers = [f"--rohrpost-handler={name}={endpoint.url}/{name}" for name in names] + ["--rohrpost-handler=nobody=http://127.0.0.1:9/"]
    failed = 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        key = os.path.join(folder, "key")
        with open(key, "wb") as file:
            file.write(SECRET)
        channels = ["--channels", "*"] if options.redis else []
        server = stack.enter_context(Server(options.binary, options.redis, "--watch", "conformance:*,conformance_table", *channels, *handlers))
        closed = stack.enter_context(Server(options.binary, options.redis, "--channels", "open-*", "--jwt-key-file", key))
        if options.redis:
            await told_of_writes(server)
        world = {"endpoint": endpoint, "binary": options.binary, "closed": closed}
        for function in CHECKS:
            if options.only and options.only not in function.__name__:
                continue
            try:
                await asyncio.wait_for(function(server, world), 60)
                print(f"ok    {function.__name__}")
            except Exception as error:
                failed += 1
                print(f"FAIL  {function.__name__}: {type(error).__name__} {error}")
                traceback.print_exc(file=sys.stdout)
        if failed:
            print("".join(server.lines))
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--redis")
    parser.add_argument("--only", help="checks with this in their names")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    sys.exit(asyncio.run(asyncio.wait_for(run(parser.parse_args()), MOST_SECONDS)))
