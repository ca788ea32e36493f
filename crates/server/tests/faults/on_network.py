"""Between the node and Redis: a line that is open and silent, slow, or breaks."""

import asyncio
import time

from crowd import Crowd
from on_redis import HISTORY, back
from publishers import RedisPublisher
from trial import scenario, within


@scenario(
    "network", "silent subscription", "the connection that messages arrive on stays open and carries nothing from Redis for 20 s; all others work",
    "noticed by the probe within 10 s, not ready, another connection is made; gap told, maps read again; nothing of the history lost")
async def silent_subscription(trial):
    line, node, crowd = await begin(trial)
    line.silent = lambda first: b"SUBSCRIBE" in first
    begun = time.monotonic()
    noticed = await within(15 * trial.patience, lambda: line.opened_while_silent > 0)
    trial.check(noticed is not None, "the node does not notice that it is deaf")
    await trial.is_healthy(node, ready=503)
    await asyncio.sleep(max(0, 20 - (time.monotonic() - begun)))
    line.silent = None
    await back(trial, node, crowd)
    trial.measure(f"noticed after {noticed or 0:.1f} s")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    crowd.none_of_the_history_missed()


@scenario(
    "network", "subscription to another Redis", "the connection that messages arrive on is led to an empty Redis that answers, as after a change of an address; all others to the right one",
    "noticed by probes that do not come back, within 15 s; gap told, maps read again; nothing of the history lost")
async def deaf_subscription(trial):
    line, node, crowd = await begin(trial)
    empty = await trial.redis(name="empty")
    line.lead = lambda first: empty.port if b"SUBSCRIBE" in first else None
    line.cut(b"SUBSCRIBE")
    noticed = await within(20 * trial.patience, lambda: "did not arrive" in node.log())
    trial.check(noticed is not None, "the node does not notice that it is deaf")
    line.lead = None
    line.cut(b"SUBSCRIBE")
    await back(trial, node, crowd)
    trial.measure(f"noticed after {noticed or 0:.1f} s")
    await crowd.settle()
    trial.check(crowd.gaps >= 1, "no gap was told")
    crowd.none_of_the_history_missed()


@scenario(
    "network", "only the way to Redis is silent", "for 20 s, nothing that the node writes reaches Redis, on connections that there are and on new ones; what Redis sends arrives",
    "not ready within 5 s; messages go on arriving all the time, as Redis sends them; nobody is closed; within 2 s of its end all is as before; nothing of the history lost")
async def silent_to_redis(trial):
    line, node, crowd = await begin(trial)
    begun = await one_way(trial, line, node, "mute")
    for _ in range(2):
        flows = await flow(crowd, 3 * trial.patience)
        trial.check(flows, f"messages do not arrive, {time.monotonic() - begun:.0f} s after it became silent")
        await asyncio.sleep(max(0, 18 - (time.monotonic() - begun)))
    await both_ways(trial, line, node, crowd, begun)


@scenario(
    "network", "only the way from Redis is silent", "for 20 s, nothing that Redis sends reaches the node, on any connection; what the node writes is carried out",
    "not ready within 5 s, the subscription given up within 15 s; nobody is closed; within 2 s of its end all is as before; gap told, nothing of the history lost")
async def silent_from_redis(trial):
    line, node, crowd = await begin(trial)
    subscribed = line.subscribed
    begun = await one_way(trial, line, node, "silent")
    trial.check(not await flow(crowd, 3), "messages arrive: the scenario does not do what it says")
    noticed = await within(15 * trial.patience, lambda: line.subscribed > subscribed)
    trial.check(noticed is not None, "the node does not give the subscription up")
    trial.measure(f"given up after {time.monotonic() - begun:.1f} s")
    await both_ways(trial, line, node, crowd, begun)
    trial.check(crowd.gaps >= 1, "no gap was told")


async def one_way(trial, line, node, way):
    """Has all connections be silent in one direction. What is said meanwhile arrives behind that, as TCP sends it again. Returns since when."""
    begun = time.monotonic()
    setattr(line, way, lambda first: True)
    trial.measure(f"not ready after {await trial.is_healthy(node, ready=503):.1f} s")
    return begun


async def both_ways(trial, line, node, crowd, begun):
    """Ends it when it has lasted for 20 s, and waits until all is well."""
    await asyncio.sleep(max(0, 20 - (time.monotonic() - begun)))
    line.mute = line.silent = None
    await back(trial, node, crowd)
    await crowd.settle()
    crowd.none_of_the_history_missed()


async def flow(crowd, seconds):
    """Whether messages without a history arrive within that time, more than may have been on their way."""
    numbers = crowd.watchers[:2]
    counts = [len(watcher.events) for watcher in numbers]
    return await within(seconds, lambda: all(len(watcher.events) > count + 30 for watcher, count in zip(numbers, counts))) is not None


@scenario(
    "network", "slow line", "150 ms in each direction between node and Redis, for 8 s, bytes in pieces of 50",
    "all goes on, later; ready; nothing missed")
async def slow_line(trial):
    line, node, crowd = await begin(trial)
    # A Redis that does not answer within a second is not ready, and more than one answer may be waited for.
    line.delay, line.piece = 0.15, 50
    await asyncio.sleep(8)
    answered = await trial.is_healthy(node)
    trial.check(answered > 0.3, f"health answers after {answered:.2f} s: the line is not slow")
    trial.measure(f"health answered in {answered:.2f} s")
    line.delay, line.piece = 0, 1 << 16
    await crowd.goes_on()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "network", "cut within messages", "every connection to Redis is cut 50 times, after a random number of bytes, under load",
    "each time connected again; nothing half-read is delivered; no message missing without a gap, and none of the history; maps right")
async def cut_within_messages(trial):
    line, node, crowd = await begin(trial)
    for _ in range(50):
        line.cut_after_some()
        await asyncio.sleep(0.15)
    await back(trial, node, crowd)
    trial.measure(f"{line.cuts} connections cut")
    trial.check(line.cuts >= 50, f"only {line.cuts} were cut")
    await crowd.settle()
    crowd.none_of_the_history_missed()


async def begin(trial):
    """A node behind a line that can be meddled with; publishers reach Redis without it."""
    redis = await trial.redis()
    line = await Line(redis.port).open()
    node = await trial.node(*HISTORY, redis=f"redis://127.0.0.1:{line.port}")
    crowd = await Crowd(trial, RedisPublisher(redis.port)).open(node.address)
    await crowd.goes_on()
    return line, node, crowd


class Line:
    """Passes bytes on, well or badly."""

    def __init__(self, port):
        self._to, self._pairs = port, {}
        #: Which connections, by what they say first, hear nothing, and which are not heard; where they are led; seconds and bytes of each piece.
        self.silent, self.mute, self.lead, self.delay, self.piece = None, None, None, 0, 1 << 16
        self.opened_while_silent, self.subscribed, self.cuts = 0, 0, 0

    async def open(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._server = server
        return self

    def cut(self, word):
        """Cuts all connections that began with this."""
        for writers, first in list(self._pairs.items()):
            if word in first:
                self._end(writers)

    def cut_after_some(self):
        """Cuts each connection after some more bytes."""
        for writers in list(self._pairs):
            # Within the next message: it is passed on in part.
            for writer in writers:
                writer.left = 1 + (id(writer) + self.cuts) % 60

    async def _serve(self, reader, writer):
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            # The trial is over.
            writer.close()

    async def _join(self, reader, writer):
        first = await reader.read(1 << 16)
        port = self.lead and self.lead(first) or self._to
        try:
            there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        self.opened_while_silent += self._holds(first, back=True)
        self.subscribed += b"SUBSCRIBE" in first
        writers = (Half(writer), Half(there[1]))
        self._pairs[writers] = first
        while self._holds(first, back=False):
            await asyncio.sleep(0.05)
        writers[1].writer.write(first)
        await asyncio.gather(self._pass(reader, writers[1], writers, first, back=False), self._pass(there[0], writers[0], writers, first, back=True))

    async def _pass(self, reader, half, writers, first, back):
        try:
            while data := await reader.read(1 << 16):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self._holds(first, back):
                    await asyncio.sleep(0.05)
                if half.left is not None:
                    data, half.left = data[:half.left], half.left - len(data)
                for start in range(0, len(data), self.piece):
                    half.writer.write(data[start:start + self.piece])
                    await half.writer.drain()
                if half.left is not None and half.left <= 0:
                    self.cuts += 1
                    break
        except OSError:
            pass
        self._end(writers)

    def _holds(self, first, back):
        """Whether a connection that began so carries nothing now, back to the node or there to Redis."""
        quiet = self.silent if back else self.mute
        return bool(quiet and quiet(first))

    def _end(self, writers):
        self._pairs.pop(writers, None)
        for half in writers:
            half.writer.close()


class Half:
    """One direction."""

    def __init__(self, writer):
        #: How many more bytes are passed on, if not all.
        self.writer, self.left = writer, None
