"""Too many at once."""

import asyncio
import json
import signal
import time
from functools import lru_cache

from crowd import embedded
from processes import MIB
from publishers import FLEET, NUMBERS
from trial import scenario, within
from watchers import Map
from wire import Http, Refused, Socket


@scenario(
    "load", "subscribe floods", "100 clients, each with 5 000 SUBs to names of its own in one go; the server's rate of commands is lifted for it",
    "128 of each are taken, the others answered by `too_many_subscriptions`; nobody is closed")
async def subscribe_floods(trial):
    node, crowd = await embedded(trial, "--commands-per-second", "1000000", "--command-burst", "1000000")
    errors, dones = [0] * 100, set()

    def taking(client):
        def take(message):
            errors[client] += b"too_many_subscriptions" in message
            if b'"end"' in message:
                dones.add(client)
        return take

    clients = [await Socket.open(node.address, "/ws", taking(number)) for number in range(100)]
    begun = time.monotonic()
    for number, client in enumerate(clients):
        for name in range(5000):
            client.send(f"SUB c{number}-{name}")
        client.send("PING client_ref=end")
        await asyncio.sleep(0)
    done = await within(60 * trial.patience, lambda: len(dones) == 100)
    trial.check(done is not None, f"{100 - len(dones)} are not answered")
    trial.check(set(errors) == {5000 - 128}, f"refused were {sorted(set(errors))[:5]}")
    trial.check(all(client.is_open for client in clients), "some were closed")
    trial.measure(f"500 000 commands in {time.monotonic() - begun:.1f} s")
    for client in clients:
        client.abort()
    await crowd.goes_on()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "load", "reconnect storm of 5 000", "5 000 clients with a tracked subscription; all are cut, and all come back at once",
    "each has its map again within 60 s, as the store has it; /live and /ready answer meanwhile; nobody else notices; within 600 MiB")
async def reconnect_storm(trial):
    trial.memory_bound = 600 * MIB
    node, crowd = await embedded(trial, rate=60)
    clients = await storm(trial, node, 5000)
    for client in clients:
        client.socket.abort()
    begun = time.monotonic()
    storming = asyncio.create_task(storm(trial, node, 5000))
    asked, slowest = 0, 0
    while not storming.done():
        asked, slowest = asked + 1, max(slowest, await trial.is_healthy(node, seconds=10))
        await asyncio.sleep(0.1)
    clients = await storming
    # From here on the state stays as it is.
    await crowd.publisher.end()
    state = await crowd.state()
    left = clients

    def all_have_their_maps():
        nonlocal left
        left = [client for client in left if not client.map.shows(state)]
        return not left

    left_over = 60 * trial.patience - (time.monotonic() - begun)
    await within(left_over, all_have_their_maps)
    trial.check(not left, f"{len(left)} of 5 000 have another map, as {left and left[0].map.difference(state)}")
    trial.measure(f"5 000 had their maps, of {len(state)} points, {time.monotonic() - begun:.1f} s after they were cut")
    faults = [fault for client in clients for fault in client.map.faults_against(None)]
    trial.check(not faults, f"{len(faults)} changes of their maps make no sense: {faults[:3]}")
    for client in clients:
        client.socket.abort()
    trial.measure(f"health, asked {asked} times meanwhile, answered within {slowest:.2f} s")
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "load", "out of descriptors", "`ulimit -n 200`, and 400 clients that want a WebSocket, 200 more that say nothing",
    "who does not fit is answered by 503; /live and /ready answer; nobody who is connected is closed; who comes later is let in")
async def out_of_descriptors(trial):
    node, crowd = await embedded(trial, "--header-timeout", "60s", descriptors=200)
    taken, refused = [], []

    async def connect():
        try:
            taken.append(await Socket.open(node.address))
        except (Refused, OSError) as error:
            refused.append(str(error))

    await asyncio.gather(*(connect() for _ in range(400)))
    trial.check(len(taken) > 50, f"only {len(taken)} are let in")
    trial.check(all("503" in said for said in refused), f"refused with {set(refused)}")
    host, port = node.address.split(":")
    silent = [(await asyncio.open_connection(host, port))[1] for _ in range(200)]
    # In the queue of the system, behind those who say nothing: 32 of them at a time have 2 s.
    health = await trial.is_healthy(node, seconds=25)
    trial.check(all(client.is_open for client in taken), "some were closed")
    trial.measure(f"{len(taken)} let in, {len(refused)} answered by 503; health answered after {health:.1f} s; {node.descriptors()} descriptors")
    for client in taken:
        client.abort()
    for stream in silent:
        stream.close()
    await within(10 * trial.patience, lambda: node.descriptors() < 60)
    (await Socket.open(node.address)).abort()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "load", "SIGTERM with 5 000 clients", "SIGTERM while 5 000 subscribers are sent 20 messages a second, closes spread over 5 s",
    "not ready at once; each is closed with 1012, all over the 5 s, and told to come back at another time; it ends with exit code 0 within the drain timeout (25 s)")
async def terminated_under_load(trial):
    trial.memory_bound = 600 * MIB
    node, crowd = await embedded(trial, rate=60, spread="5s")
    clients = await storm(trial, node, 5000, channel=NUMBERS)
    await crowd.goes_on()
    http = Http(node.address)
    trial.check((await http.ask("GET", "/ready"))[0] == 200, "it is not ready before")
    begun = time.monotonic()
    node.send(signal.SIGTERM)
    await within(20, lambda: "stopping" in node.log())
    trial.check(await answers(http) != 200, "it is ready, though it stops")
    trial.check(await answers(Http(node.address)) != 200, "it is ready for others, though it stops")
    code = await node.ended(40 * trial.patience)
    took = time.monotonic() - begun
    trial.check(code == 0, f"exit code {code}")
    trial.check(took < 27 * trial.patience, f"it took {took:.1f} s to end")
    await crowd.publisher.end()
    await within(10 * trial.patience, lambda: all(client.socket.ended.done() for client in clients))
    codes = [client.socket.code for client in clients]
    trial.check(set(codes) == {1012}, f"closed with {({code: codes.count(code) for code in set(codes)})}")
    told = [client.socket.reason for client in clients if client.socket.code == 1012]
    trial.check(all("retry in" in reason for reason in told), f"told {set(told) if len(set(told)) < 5 else told[:5]}")
    trial.check(len(set(told)) >= 1000, f"only {len(set(told))} different times to come back")
    # Since the first of them: before, whoever asks whether it is ready is given time to notice.
    times = sorted(client.ended_at for client in clients if client.ended_at)
    tenth, last = times[len(times) // 10] - times[0], times[-1] - times[0]
    trial.check(tenth < 1.5 * trial.patience, f"the first tenth is closed after {tenth:.1f} s only")
    trial.check(last > 3, f"all are closed within {last:.1f} s: they come back together")
    trial.measure(f"ended with {code} after {took:.1f} s; {codes.count(1012)} closed with 1012, the first tenth within {tenth:.1f} s of the first, the last after {last:.1f} s; {len(set(told))} different times to come back")
    for watcher in crowd.watchers:
        trial.faults.extend(watcher.faults_against(crowd.publisher.told[watcher.channel]))
    await crowd.publisher.close()


async def answers(http):
    """What `/ready` says, or None."""
    try:
        return (await http.ask("GET", "/ready"))[0]
    except OSError:
        return None


class Client:
    """One of thousands, with one subscription."""

    __slots__ = ("socket", "is_subscribed", "ended_at", "count", "map")

    async def open(self, node, channel, track):
        self.is_subscribed, self.ended_at, self.count = False, None, 0
        self.map = Map("one of many", FLEET) if track else None
        self.socket = await Socket.open(node.address, "/rpc", self._take, patience=120)
        self.socket.ended.add_done_callback(self._end)
        call = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"channel": channel, "track": track}}
        self.socket.send(json.dumps(call))

    def _take(self, message):
        self.count += 1
        if not self.is_subscribed and b'"result"' in message:
            self.is_subscribed = True
        elif self.map:
            self.map.take(*notice(message))

    def _end(self, _):
        self.ended_at = time.monotonic()


@lru_cache(maxsize=1 << 12)
def notice(message):
    """Method and parameters of a notification, read once for all who are sent the same bytes."""
    document = json.loads(message)
    return document.get("method"), document.get("params", {})


async def storm(trial, node, number, channel=FLEET):
    """So many clients at once, as soon as each is subscribed and has the first of what follows."""
    clients, track = [Client() for _ in range(number)], channel == FLEET
    ends = await asyncio.gather(*(client.open(node, channel, track) for client in clients), return_exceptions=True)
    failed = [error for error in ends if error]
    trial.check(not failed, f"{len(failed)} could not connect: {failed[:2]}")
    clients = [client for client, error in zip(clients, ends) if not error]
    has_all = lambda: all(client.is_subscribed and client.count > 1 for client in clients)
    trial.check(await within(60 * trial.patience, has_all) is not None, f"{sum(not client.is_subscribed for client in clients)} are not subscribed, {sum(client.count < 2 for client in clients)} without what follows")
    return clients
