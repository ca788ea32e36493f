"""A client over a real WebSocket: it sends what it is told to, and keeps its maps by what it is sent."""

import asyncio
import socket
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bearer import presented
from dialect import Refusal, Reply, Rpc, Text, effective_fault
from expectations import Expectations
from feature import DATA
from ledger import Fault, Ledger, MapLibreLedger
from look import Look
from plain import PlainLedger
from rights import Rights

#: What the kernel is to keep for a client, in bytes: little, so that one who does not read is soon felt by the server.
RECEIVE_BUFFER = 4096
#: How long an answer may take, in seconds. Debug builds on a busy machine are slow.
PATIENCE = 20


class Client:
    """One client of a run. It is reconnected under its name."""

    def __init__(self, name, kind, url, registry, track_keys):
        """`track_keys`: by channel the property that is the key of features without id."""
        self.name, self.kind, self._url = name, kind, url
        self._expectations = Expectations(registry, Rights(kind["geo"]) if "geo" in kind else None)
        self._track_keys = track_keys
        self._reading = asyncio.Event()
        self._reading.set()
        self.fault = None
        self.bytes = 0

    async def open(self):
        """Connects, with nothing asked for."""
        self._expectations.may_be(Look())
        self._expectations.may_have(DATA)
        self.ledgers, self._ending, self._replies, self._calls = {}, {}, {}, {}
        #: How many viewports were asked for that are not allowed, and were not refused yet.
        self._refused = 0
        self._dialect = Rpc() if self.kind["dialect"] == "rpc" else Text()
        self._changed = asyncio.Event()
        host, port = self._url.split("/")[2].split(":")
        tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        tcp.setblocking(False)
        await asyncio.get_running_loop().sock_connect(tcp, (host, int(port)))
        query, header, protocols = presented(self.kind)
        self._socket = await connect(
            self._url + self.kind["path"] + query, sock=tcp, max_queue=1, max_size=None, ping_interval=None,
            compression="deflate" if self.kind["deflate"] else None, open_timeout=PATIENCE, close_timeout=PATIENCE,
            additional_headers=header, subprotocols=protocols,
        )
        self._reader = asyncio.create_task(self._read())

    async def close(self):
        """Ends the connection, which may be stalled."""
        self._reading.set()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._socket.transport.abort()

    @property
    def is_stalled(self):
        """It does not read: the kernel's buffers fill, then the server's."""
        return not self._reading.is_set()

    async def ask(self, action):
        """Sends a command, without waiting for what comes of it. Raises Fault."""
        match action:
            case {"do": "reconnect"}:
                await self.close()
                return await self.open()
            case {"do": "stall"}:
                return self._reading.clear()
            case {"do": "go on"}:
                return self._reading.set()
            case {"do": "track", "channel": channel, "form": form}:
                if channel in self._ending:
                    # What is still on its way would be taken for the new subscription's.
                    await self.answered()
                self.ledgers[channel] = self._ledger(channel, form)
            case {"do": "untrack", "channel": channel}:
                self._ending[channel] = self.ledgers.pop(channel, None)
            case {"do": "view", "refused": True}:
                self._refused += 1
            case {"do": "view"}:
                self._expectations.may_be(Look.of(action))
            case {"do": "unview"}:
                self._expectations.may_be(Look())
            case {"do": "project", "code": code}:
                self._expectations.may_have(code)
        frames, number = self._dialect.frames(action)
        if number is not None:
            self._calls[number] = action
        for frame in frames:
            await self._send(frame)

    async def answered(self):
        """Waits until everything asked for is in force. Raises Fault."""
        frame, number = self._dialect.ping()
        await self._send(frame)
        await self.until(lambda: number in self._replies and not self._calls, f"an answer to {frame}")
        self._ending.clear()
        if self._refused:
            self.fail(f"{self._refused} viewports that are not allowed were not refused")

    def settle(self, session):
        """Takes a session to be all that is in force: what was pushed before, also into a BUFFER, has come."""
        self._expectations.settle(session)

    async def until(self, is_so, what):
        """Waits until something is so. Raises Fault."""
        if not await self.within(is_so, PATIENCE):
            raise Fault(f"{what} did not come within {PATIENCE} s")

    async def within(self, is_so, seconds):
        """Waits until something is so, and looks whenever something has come; returns whether it was in time. Raises Fault."""
        deadline = time.monotonic() + seconds
        while not is_so():
            self.raise_fault()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - time.monotonic())
            except TimeoutError:
                self.raise_fault()
                return False
        self.raise_fault()
        return True

    def fail(self, said):
        """Notes a fault that was found from outside, and raises it."""
        self.fault = self.fault or said
        self.raise_fault()

    def raise_fault(self):
        if self.fault:
            raise Fault(self.fault)

    def _ledger(self, channel, form):
        match form:
            case "events":
                return Ledger(self._expectations)
            case "maplibre":
                return MapLibreLedger(self._expectations, self._track_keys.get(channel))
            case "plain":
                return PlainLedger(self._expectations)

    async def _send(self, frame):
        try:
            await self._socket.send(frame)
        except ConnectionClosed as closed:
            self.fault = self.fault or f"the server closed the connection: {closed}"

    async def _read(self):
        try:
            while True:
                await self._reading.wait()
                frame = await self._socket.recv()
                self.bytes += len(frame)
                for item in self._dialect.read(frame):
                    self._take(item)
                self._changed.set()
        except ConnectionClosed as closed:
            self.fault = f"the server closed the connection: {closed}"
        except Fault as fault:
            self.fault = str(fault)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.fault = f"{frame} is not understood: {error!r}"
        self._changed.set()

    def _take(self, item):
        if isinstance(item, Reply):
            self._replies[item.number] = item.result
            if item.number in self._calls:
                action = self._calls.pop(item.number)
                said = effective_fault(action, item.result)
                if "refused" in action:
                    raise Fault(f"what is not allowed is done: {action}")
                if said:
                    raise Fault(said)
            return
        if isinstance(item, Refusal):
            action = self._calls.pop(item.number, None)
            if self._refused == 0 or action is not None and "refused" not in action:
                raise Fault(f"what is allowed is refused: {action or 'a command'}")
            self._refused -= 1
            return
        ledger = self.ledgers.get(item.channel)
        if ledger is None:
            if item.channel not in self._ending:
                raise Fault(f"a push on {item.channel}, which is not subscribed: {item.what}")
        elif isinstance(item.what, dict):
            ledger.take_diff(item.what)
        else:
            self._not_before_the_answer(item.channel)
            ledger.take(item.what)

    def _not_before_the_answer(self, channel):
        for action in self._calls.values():
            # Of what is not tracked, it is not said what comes first.
            if action["do"] == "track" and action["channel"] == channel and action["form"] != "plain":
                raise Fault(f"an event on {channel} before the answer to the call that subscribes")
