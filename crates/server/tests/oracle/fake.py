"""A server of the tests of this folder: tracking in its simplest form, and wrong in one way if it is told to be."""

import asyncio
import time

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from fake_connection import Connection
from feature import DATA, Feature
from publisher import tombstone
from truth import key_of

#: What it can do wrong.
FAULTS = (
    "forgets leaves", "forgets leaves of pans", "enters twice", "tests vertices only", "sends old states", "keeps the old system",
    "open edges", "sends leaves with geometry", "gives wrong reasons", "keeps what is deleted", "forgets expiry",
    "expires too early", "sends what is outside", "loses messages", "updates all on pans", "swaps axes", "drops heights",
    "answers late", "shows stored deletions",
    "ignores properties", "compares written numbers by value", "opens ranges", "takes what is absent for null",
    "says moved for all reasons", "sends all fields", "keeps the old fields", "trims no collections", "trims all collections",
    "loses publications", "sends publications twice", "swaps publications", "hides deletions", "tells gaps",
    "tells gaps of maps", "keeps the old detail", "ignores precision", "rounds too much", "rounds heights",
    "ignores tolerance", "leaves out too much", "leaves out ends", "collapses rings", "takes the level below",
)
#: What it can do wrong to those whose rights are limited.
FAULTS_OF_RIGHTS = (
    "ignores rights", "fills holes", "grants what touches", "grants vertices", "grants no edges", "ends at the antimeridian",
    "grants within one polygon only", "keeps what may not be seen", "tells everybody notes", "tells everybody what is nowhere",
    "keeps members of cut collections", "sends without a viewport", "allows all viewports", "allows all areas",
)


class Fake:
    """One node with an embedded store, and channels as in a plan."""

    def __init__(self, channels, fault=None):
        assert fault is None or fault in FAULTS + FAULTS_OF_RIGHTS
        self.fault, self._channels = fault, channels
        self.stored = {name: {} for name in channels}
        self.live = {name: {} for name in channels}
        self.heard, self.connections = {}, set()

    async def __aenter__(self):
        self._server = await serve(
            self._connection, "127.0.0.1", 0, max_size=None, select_subprotocol=lambda _, offered: offered[0] if offered else None)
        self._sweeper = asyncio.create_task(self._sweep())
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._sweeper.cancel()
        self._server.close()

    # The way in.

    async def put(self, channel, key, document):
        self.stored[channel][key] = self.feature(channel, document)
        await self.tell(channel, document)

    async def delete(self, channel, key):
        self.stored[channel].pop(key, None)
        await self.tell(channel, tombstone(key))
        return True

    async def tell(self, channel, document):
        if document.get("type") != "Feature" or self.id_of(channel, document) is None:
            for connection in self.connections:
                connection.message(channel, document)
            return
        feature, key, live = self.feature(channel, document), key_of(self.id_of(channel, document)), self.live[channel]
        if feature.is_deletion:
            if self.fault != "keeps what is deleted":
                live.pop(key, None)
        else:
            live[key] = feature
        self.heard[channel, key] = time.monotonic()
        for connection in self.connections:
            connection.look(channel, key, "deleted" if feature.is_deletion else None, published=True)
            connection.publication(channel, feature, document)
            if self.fault == ("tells gaps of maps" if connection.has_map(channel) else "tells gaps"):
                connection.gap(channel)

    async def close(self):
        pass

    def feature(self, channel, document):
        return Feature(document, self._channels[channel].get("code", DATA))

    def id_of(self, channel, document):
        track_key = self._channels[channel].get("track_key")
        return document.get("id", (document.get("properties") or {}).get(track_key))

    async def _sweep(self):
        while True:
            await asyncio.sleep(0.05)
            for channel, settings in self._channels.items():
                stale_after = settings.get("stale_after")
                if stale_after is None or self.fault == "forgets expiry":
                    continue
                limit = time.monotonic() - stale_after * (0.3 if self.fault == "expires too early" else 1)
                for key in [key for key in self.live[channel] if self.heard[channel, key] < limit]:
                    del self.live[channel][key]
                    for connection in self.connections:
                        connection.look(channel, key, "expired")

    async def _connection(self, socket):
        connection = Connection(self, socket)
        self.connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            async for frame in socket:
                connection.read(frame)
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)
            writer.cancel()


class Storing:
    """Another way into it, by which a deletion is stored as such."""

    def __init__(self, fake):
        self.put, self.tell, self.close = fake.put, fake.tell, fake.close

    async def delete(self, channel, key):
        await self.put(channel, key, tombstone(key))
        return True
