"""The well-behaved clients of a trial, with the publisher that they follow."""

import asyncio
import time

from publishers import FLEET, LOG, NUMBERS, HttpPublisher
from trial import within
from watchers import Map, RpcNumbers, TextNumbers

#: Within which a map has to equal the store when nothing changes any more, in seconds.
QUIET = 5
#: How long messages may take to come again, in seconds.
RETURN = 40


class Crowd:
    """Follows, in every way there is, what a publisher publishes; what was wrong goes to the trial."""

    def __init__(self, trial, publisher, history=True):
        self.publisher, self._trial = publisher, trial
        self.watchers = [RpcNumbers("json-rpc", NUMBERS), TextNumbers("text", NUMBERS)]
        self.watchers += [RpcNumbers("history", LOG, history=True)] if history else []
        self.maps = [Map("map", FLEET, [0, 0, 10, 10]), Map("whole map", FLEET)]

    async def open(self, address):
        for watcher in [*self.watchers, *self.maps]:
            await watcher.open(address)
        self.publisher.begin()
        return self

    async def follow(self, seconds):
        """Lets that time pass under load."""
        await asyncio.sleep(seconds)

    async def goes_on(self):
        """Notes a fault unless everyone hears something new within a moment."""
        heard = await self.hears_again(10 * self._trial.patience)
        self._trial.check(heard is not None, "messages do not flow")

    async def hears_again(self, seconds=RETURN):
        """Waits until everyone has heard something new; returns the seconds that it took, or None."""
        counts = [len(watcher.events) for watcher in self.watchers]
        # One more may have been on its way.
        heard = lambda: all(len(watcher.events) > before + 2 for watcher, before in zip(self.watchers, counts))
        return await within(seconds, heard)

    async def settle(self):
        """Ends publishing, and holds every client to what the store has told and has."""
        trial, publisher = self._trial, self.publisher
        await publisher.end()
        for channel in {watcher.channel for watcher in self.watchers}:
            await self._reach_the_end(channel)
        state = await self.state()
        begun = time.monotonic()
        taken = await within(QUIET * trial.patience, lambda: all(map.shows(state) for map in self.maps))
        if trial.check(taken is not None, "; ".join(m.difference(state) for m in self.maps if not m.shows(state))):
            trial.measure(f"maps right {time.monotonic() - begun:.1f} s after the last message")
        lost = gaps = 0
        for watcher in [*self.watchers, *self.maps]:
            trial.faults.extend(watcher.faults_against(publisher.told.get(watcher.channel, set())))
            trial.check(watcher.socket.is_open, f"{watcher.name} was closed with {watcher.socket.code}")
            lost, gaps = max(lost, getattr(watcher, "lost", 0)), max(gaps, getattr(watcher, "gaps", 0))
        trial.measure(f"{lost} messages missed, {gaps} gaps told")
        await publisher.close()
        self.lost, self.gaps = lost, gaps

    def none_missed(self):
        """Notes a fault if something was missed, or a gap told, where there was no reason."""
        self._trial.check(self.lost == self.gaps == 0, f"{self.lost} messages were missed, and {self.gaps} gaps told")

    def none_of_the_history_missed(self):
        """Notes a fault if a message with a history was missed, gap or not, though the store has kept it."""
        lost = self.watchers[-1].lost
        self._trial.check(lost == 0, f"{lost} messages of the history were lost, though Redis has kept them")

    async def _reach_the_end(self, channel):
        watchers = [watcher for watcher in self.watchers if watcher.channel == channel]
        deadline = time.monotonic() + RETURN
        while time.monotonic() < deadline:
            number = await self.publisher.number(channel)
            if number and await within(2, lambda: all(watcher.has(number) for watcher in watchers)) is not None:
                return
        late = [f"{w.name} ({w.events[-3:]}, {w.socket.code})" for w in watchers]
        self._trial.check(False, f"what is published last does not come: {', '.join(late)}")

    async def state(self):
        """What the store has of the points."""
        for _ in range(10):
            try:
                return await self.publisher.state()
            except (OSError, RuntimeError) as error:
                said = error
                await asyncio.sleep(0.5)
        raise RuntimeError(f"the store cannot be read: {said}")


async def embedded(trial, *options, rate=150, **kinds):
    """A node with a store of its own, and clients that have followed for a moment."""
    node = await trial.node("--history", f"{LOG}=100000", *options, **kinds)
    crowd = await Crowd(trial, HttpPublisher([node.address], rate)).open(node.address)
    await crowd.goes_on()
    return node, crowd
