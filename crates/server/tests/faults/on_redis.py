"""Redis that fails."""

import asyncio
import json
import signal
import time

from crowd import Crowd
from processes import KEY
from publishers import FLEET, LOG, RedisPublisher
from trial import scenario, within
from watchers import Rpc
from wire import Http

#: Every scenario has a history besides channels without.
HISTORY = ["--history", "log=100000"]
#: What is promised: messages flow within 2 s of Redis being back. The rest is for a busy machine.
BACK = 10
POINT = {"type": "Feature", "id": "x", "geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {}}


@scenario(
    "redis", "killed, back with its data", "kill -9 of Redis under load, started again with its data after 2 s",
    "not ready while it is away, live always; nobody is closed; gap told; maps read again; nothing of the history lost, and who comes back to it is told so", quick=True)
async def killed_and_back_with_data(trial):
    redis = await trial.redis(keeps=True)
    node, crowd = await begin(trial, redis)
    place = await stand(node)
    redis.kill()
    unready = await trial.is_healthy(node, ready=503)
    await asyncio.sleep(2)
    await redis.up()
    await back(trial, node, crowd)
    trial.measure(f"not ready after {unready:.1f} s")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    crowd.none_of_the_history_missed()
    now, _ = await come_back(node, place)
    trial.check(now["recovered"] and now["epoch"] == place["epoch"], f"who was at {place} is told {now}")


@scenario(
    "redis", "killed, back without its data", "the same, with an empty Redis coming back",
    "as before; keys that are gone leave the maps; the history begins anew: a gap is told, who comes back to it is told that it is another one, and it has nothing of before")
async def killed_and_back_without_data(trial):
    redis = await trial.redis()
    node, crowd = await begin(trial, redis)
    place = await stand(node)
    redis.kill()
    before = max(crowd.publisher.told[LOG])
    await trial.is_healthy(node, ready=503)
    await redis.up()
    await back(trial, node, crowd)
    await crowd.follow(6)
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    trial.check(crowd.watchers[-1].gaps >= 1, "no gap of the history was told")
    now, kept = await come_back(node, place)
    trial.check(not now["recovered"] and now["epoch"] != place["epoch"], f"who was at {place} is told {now}")
    trial.check(kept and min(kept) > before, f"the history goes from {kept[:1]} to {kept[-1:]}; before, it went to {before}")


@scenario(
    "redis", "hangs", "SIGSTOP of Redis for 30 s under load, then SIGCONT",
    "not ready within probe interval and command timeout (10 s); live; nobody is closed; messages come again within 2 s of SIGCONT; nothing of the history lost")
async def hangs(trial):
    redis = await trial.redis(keeps=True)
    node, crowd = await begin(trial, redis)
    redis.send(signal.SIGSTOP)
    begun = time.monotonic()
    unready = await trial.is_healthy(node, seconds=10, ready=503)
    await asyncio.sleep(max(0, 30 - (time.monotonic() - begun)))
    redis.send(signal.SIGCONT)
    await back(trial, node, crowd)
    trial.measure(f"not ready after {unready:.1f} s")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    crowd.none_of_the_history_missed()


@scenario(
    "redis", "subscriptions cut 100 times", "CLIENT KILL TYPE pubsub, 100 times, 100 ms apart, under load",
    "each time connected again; nobody is closed; no message missing without a gap, and none of the history")
async def subscriptions_cut(trial):
    redis = await trial.redis()
    node, crowd = await begin(trial, redis)
    killed = 0
    for _ in range(100):
        killed += int(await asyncio.to_thread(redis.ask, "CLIENT", "KILL", "TYPE", "pubsub"))
        await asyncio.sleep(0.1)
    trial.measure(f"{killed} connections killed")
    trial.check(killed >= 20, f"only {killed} connections were there to be killed: the node does not come back")
    await back(trial, node, crowd)
    await crowd.settle()
    crowd.none_of_the_history_missed()


@scenario(
    "redis", "output buffer exceeded", "client-output-buffer-limit pubsub of 64 KiB, and ten bursts of 20 MB on a channel whose only client does not read",
    "Redis cuts the subscription again and again; nobody else is closed; gap told; nothing of the history lost; memory within bound")
async def output_buffer_exceeded(trial):
    redis = await trial.redis("--client-output-buffer-limit", "pubsub 64kb 64kb 1")
    node, crowd = await begin(trial, redis)
    reader = await Rpc().open(node.address)
    await reader.call("subscribe", channel="flood")
    reader.socket.pause()
    for _ in range(10):
        await asyncio.to_thread(flood, redis)
        await asyncio.sleep(0.3)
    cuts = redis.log().count("overcoming of output buffer limits")
    trial.measure(f"{cuts} cuts by Redis")
    trial.check(cuts >= 1, "Redis has cut nothing: the scenario does not do what it says")
    await back(trial, node, crowd)
    reader.socket.abort()
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    crowd.none_of_the_history_missed()


@scenario(
    "redis", "out of memory", "maxmemory below what is used, noeviction, for 3 s",
    "writes of state are answered by 507; messages flow on, and it is ready; afterwards all is as before")
async def out_of_memory(trial):
    redis = await trial.redis()
    node, crowd = await begin(trial, redis)
    await asyncio.to_thread(redis.ask, "CONFIG", "SET", "maxmemory", "1mb")
    http, body = Http(node.address, [f"Authorization: Bearer {KEY}"]), json.dumps(POINT).encode()
    begun, statuses = time.monotonic(), []
    while time.monotonic() - begun < 3:
        statuses.append((await http.ask("PUT", f"/api/state/{FLEET}/x", body))[0])
        await asyncio.sleep(0.05)
    trial.check(set(statuses) == {507}, f"writes are answered by {set(statuses)}")
    numbers = crowd.watchers[:2]
    before = [len(watcher.events) for watcher in numbers]
    flows = lambda: all(len(watcher.events) > count for watcher, count in zip(numbers, before))
    trial.check(await within(10, flows) is not None, "messages do not flow")
    await trial.is_healthy(node)
    await asyncio.to_thread(redis.ask, "CONFIG", "SET", "maxmemory", "0")
    await back(trial, node, crowd)
    trial.measure(f"{len(statuses)} writes answered by 507")
    http.close()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "redis", "refuses", "for 3 s each: another password, all connections killed; a read-only replica of nothing; no connection allowed beyond the first; CLIENT PAUSE",
    "nobody is closed; within 2 s of the end of each all is as before; gap told where the subscription was gone; nothing of the history lost; never an exit")
async def refuses(trial):
    redis = await trial.redis()
    node, crowd = await begin(trial, redis)
    with redis.client(60) as admin:
        kill = lambda: [admin.client_kill_filter(_type=kind, skipme=True) for kind in ("pubsub", "normal")]
        do = [
            ("another password", lambda: (admin.config_set("requirepass", "x"), kill()), lambda: admin.config_set("requirepass", "")),
            ("read-only", lambda: admin.replicaof("127.0.0.1", 1), lambda: admin.replicaof("NO", "ONE")),
            ("no connection allowed", lambda: (admin.config_set("maxclients", 1), kill()), lambda: admin.config_set("maxclients", 10_000)),
            ("paused", lambda: admin.execute_command("CLIENT", "PAUSE", 3000, "ALL"), lambda: None),
        ]
        for name, begins, ends in do:
            begins()
            await asyncio.sleep(3)
            trial.check(all(watcher.socket.is_open for watcher in crowd.watchers), f"{name}: clients were closed")
            ends()
            await back(trial, node, crowd)
    await crowd.settle()
    trial.check(crowd.gaps >= 2, f"{crowd.gaps} gaps were told")
    crowd.none_of_the_history_missed()


async def begin(trial, redis, *options):
    """A node on that Redis, and clients that have followed for a moment."""
    node = await trial.node(*HISTORY, *options, redis=redis.url)
    crowd = await Crowd(trial, RedisPublisher(redis.port)).open(node.address)
    await crowd.goes_on()
    await crowd.follow(1)
    return node, crowd


async def stand(node):
    """Where the history is: its offset and epoch."""
    rpc = await Rpc().open(node.address)
    place = await rpc.call("subscribe", channel=LOG)
    rpc.socket.abort()
    return {name: place[name] for name in ("offset", "epoch")}


async def come_back(node, place):
    """What somebody is told who was there (the offset and epoch of now, and whether nothing is missing), and the numbers that are kept."""
    rpc = await Rpc().open(node.address)
    told = await rpc.call("subscribe", channel=LOG, since=place["offset"], epoch=place["epoch"])
    kept = await rpc.call("history", channel=LOG, limit=1000)
    rpc.socket.abort()
    return {name: told.get(name) for name in ("offset", "epoch", "recovered")}, [message["content"] for message in kept["messages"]]


async def back(trial, node, crowd):
    """Waits until all is well again, and measures how long that took."""
    heard = await crowd.hears_again()
    if trial.check(heard is not None, "messages do not come again"):
        trial.measure(f"messages again after {heard:.1f} s")
        trial.check(heard < BACK * trial.patience, f"messages come again after {heard:.1f} s only")
    await trial.is_healthy(node, seconds=20)


def flood(redis):
    with redis.client() as client, client.pipeline(transaction=False) as pipe:
        for _ in range(20):
            pipe.publish("flood", "x" * 1_000_000)
        pipe.execute()
