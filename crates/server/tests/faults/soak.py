"""Clients that come, go, pan, publish, for a long time: memory and descriptors have to stay where they are. See README.md."""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass, field

import wire
from crowd import Crowd
from processes import KEY, MIB, Folder
from publishers import FLEET, LOG, HttpPublisher, RedisPublisher
from report import circumstances, markdown, put
from trial import Trial
from wire import Refused, Socket

#: Clients of each server at the same time, beside those that watch.
CLIENTS = 40
#: Between two looks, in seconds.
LOOK = 10
#: What the median of the last third of looks may be above that of the middle third: a share and so many bytes.
SHARE, BYTES = 0.03, 2 * MIB
SYSTEMS = ["EPSG:4326", "EPSG:3857", "EPSG:2056", "EPSG:3035", "EPSG:32632"]


@dataclass
class Soak:
    """One server, its clients, and what was seen of it."""

    name: str
    trial: Trial
    node: object
    crowd: Crowd
    #: Resident bytes and open descriptors at each look.
    looks: list = field(default_factory=list)
    #: How many clients came, and what they did.
    came: int = 0
    did: int = 0

    async def wave(self, seconds):
        """Clients come and go for that time; at its end all have gone."""
        ends = time.monotonic() + seconds
        seeds = random.Random(len(self.looks))
        await asyncio.gather(*(self._one_after_the_other(ends, random.Random(seeds.random())) for _ in range(CLIENTS)))

    async def rests(self):
        """The descriptors that are open when nothing is left of the clients, which takes a moment."""
        counts = []
        for _ in range(50):
            counts.append(self.node.descriptors())
            if len(counts) > 10 and len(set(counts[-10:])) == 1:
                break
            await asyncio.sleep(0.2)
        return counts[-1]

    async def look(self, seconds):
        """Looks at the server until that time is over."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.looks.append((self.node.memory()[0], self.node.descriptors()))
            await asyncio.sleep(min(LOOK, max(0, ends - time.monotonic())))

    async def _one_after_the_other(self, ends, chance):
        while time.monotonic() < ends:
            self.came += 1
            try:
                await self._live(ends, chance)
            except (OSError, Refused, TimeoutError) as error:
                self.trial.check(False, f"a client could not connect: {error!r}")
                await asyncio.sleep(1)

    async def _live(self, ends, chance):
        is_text = chance.random() < 0.4
        client = await Socket.open(self.node.address, f"/ws?pwd={KEY}" if is_text else f"/rpc?pwd={KEY}", lambda message: None)
        speak = text_commands if is_text else calls
        leaves = min(ends, time.monotonic() + chance.expovariate(1 / 8))
        while time.monotonic() < leaves and client.is_open:
            for frame in speak(chance, self.came):
                client.send(frame)
                self.did += 1
            await asyncio.sleep(chance.uniform(0.1, 0.6))
        self.trial.check(client.is_open, f"a client was closed with {client.code}")
        if chance.random() < 0.5:
            client.left = True
            client.write(wire.frame(wire.CLOSE, (1000).to_bytes(2)))
            await asyncio.wait({client.ended}, timeout=10)
        client.abort()

    def judge(self, before, after):
        """Notes what has grown, and returns the cells of the table."""
        warm = [memory for memory, _ in self.looks]
        third = max(1, len(warm) // 3)
        middle, last = statistics.median(warm[third:2 * third]), statistics.median(warm[-third:])
        allowed = middle * (1 + SHARE) + BYTES
        self.trial.check(last <= allowed, f"memory rises: {last / MIB:.1f} MiB after {middle / MIB:.1f} MiB")
        self.trial.check(after == before, f"{after} descriptors are open without clients, {before} were before")
        sizes = f"{min(warm) / MIB:.1f}–{max(warm) / MIB:.1f}"
        return [self.name, str(self.came), str(self.did), str(len(warm)), sizes, f"{middle / MIB:.1f}", f"{last / MIB:.1f}", f"{allowed / MIB:.1f}", f"{before} / {after}"]


def box(chance):
    left, bottom = chance.uniform(-5, 12), chance.uniform(-5, 12)
    return [round(number, 3) for number in (left, bottom, left + chance.uniform(1, 8), bottom + chance.uniform(1, 8))]


def text_commands(chance, number):
    """What a client of the text dialect says in one go."""
    sides = " ".join(map(str, box(chance)))
    yield chance.choice([
        f"BBOX {sides} crs=epsg:4326", f"BBOX {sides} crs=epsg:4326", f"SUB {FLEET} track", f"SUB {FLEET} track maplibre", f"SUB {FLEET}", f"DEL {FLEET}", f"GET {FLEET}", f"SUB {LOG} since=0", f"DEL {LOG}",
        f"SUB own-{number}", f"GET own-{number}", f"PROJECTION {chance.choice(SYSTEMS)}", "BUFFER 200 50", "BUFFER 0 0", "PING", "BBOX", "nonsense", f"BBOX {sides} zoom=9 tolerance=2 min_move=2 crs=epsg:4326",
    ])


def calls(chance, number):
    """What a client of JSON-RPC says in one go."""
    method, parameters = chance.choice([
        ("viewport", {"bbox": box(chance), "crs": "EPSG:4326"}), ("viewport", {"bbox": box(chance), "crs": "EPSG:4326", "fields": ["n"], "properties": {"n": {"min": 5}}}),
        ("subscribe", {"channel": FLEET, "track": True}), ("subscribe", {"channel": FLEET, "track": True, "format": "maplibre"}), ("subscribe", {"channel": FLEET}), ("unsubscribe", {"channel": FLEET}),
        ("subscribe", {"channel": LOG, "since": 0}), ("history", {"channel": LOG, "limit": 10}), ("get", {"channel": FLEET}), ("subscribe", {"channel": f"own-{number}"}), ("publish", {"channel": f"own-{number}", "data": "x" * chance.randrange(2000)}),
        ("publish", {"channel": "own-state", "key": f"k{chance.randrange(20)}", "data": {"n": number}}), ("projection", {"crs": chance.choice(SYSTEMS)}), ("session", {}), ("ping", {}), ("none", {}),
    ])
    yield json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})


async def soak(arguments):
    """Both stores at the same time; returns the rows of the table and what was wrong."""
    with Folder() as folder:
        trial = Trial(arguments.binary, folder)
        options = ["--history", f"{LOG}=500"]
        redis = await trial.redis()
        # So few that all of them are there after the warm-up.
        pool = ["--redis-pool-size", "2"]
        nodes = [await trial.node(*options, name="embedded"), await trial.node(*options, *pool, redis=redis.url, name="redis-node")]
        publishers = [HttpPublisher([nodes[0].address], rate=60), RedisPublisher(redis.port, rate=60)]
        soaks = []
        for name, node, publisher in zip(("embedded", "Redis"), nodes, publishers):
            await trial.is_healthy(node, seconds=20)
            soaks.append(Soak(name, trial, node, await Crowd(trial, publisher).open(node.address)))
        seconds = arguments.minutes * 60
        warm_up = min(60, seconds / 10)
        await asyncio.gather(*(each.wave(warm_up) for each in soaks))
        before = [await each.rests() for each in soaks]
        together = [each.wave(seconds) for each in soaks] + [each.look(seconds) for each in soaks]
        await asyncio.gather(*together)
        after = [await each.rests() for each in soaks]
        rows = [each.judge(*counts) for each, *counts in zip(soaks, before, after)]
        for each in soaks:
            await each.crowd.settle()
            each.crowd.none_missed()
        await trial.finish()
        return rows, trial.faults


def main():
    parser = argparse.ArgumentParser(description="Run clients for a long time, and look whether anything grows.")
    parser.add_argument("binary", help="geocast, release or debug")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--written", metavar="FILE", help="put the table between the markers of this document")
    arguments = parser.parse_args()
    said = circumstances(arguments.binary)
    rows, faults = asyncio.run(soak(arguments))
    head = ["Store", "Clients", "Commands", "Looks", "Resident, MiB", "Median of the middle third", "of the last third", "at most", "Descriptors without clients, before / after"]
    text = f"{arguments.minutes:g} minutes, {'**fault**: ' + '; '.join(faults) if faults else 'nothing grew'}. {said}\n\n{markdown([head, *rows])}"
    print(text)
    if arguments.written:
        put(arguments.written, "soak", text)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
