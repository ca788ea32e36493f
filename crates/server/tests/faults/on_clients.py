"""Clients that do not read, do not answer, do not end what they begin, or do not speak the protocol."""

import asyncio
import json
import socket
import struct
import time

from crowd import embedded
from processes import KEY
from trial import scenario, within
from wire import CUT, TEXT, Http, Socket, frame, handshake, split


@scenario(
    "clients", "one slow reader among 1 000", "1 000 clients of a channel, to which 300 messages of 4 KiB are published; one reads nothing, and follows another with 16 MB",
    "the other 999 get all of them; the slow one is closed (3008, or cut where not even that gets through); nobody else notices")
async def one_slow_reader(trial):
    await with_slow_readers(trial, 999, 1)


@scenario(
    "clients", "half of all are slow", "the same with 200 clients, of which 100 read nothing",
    "the others get all of them; the slow ones are closed; what waits for them is shared, so memory stays within 200 MiB")
async def half_are_slow(trial):
    await with_slow_readers(trial, 100, 100)


@scenario(
    "clients", "silent", "200 clients stop reading and answering, though their systems acknowledge what comes; pings each second, 3 s for an answer",
    "closed with 3009; their descriptors are free again within 10 s")
async def silent(trial):
    node, crowd, clients = await without_an_answer(trial, lambda client: client.pause())
    for client in clients:
        client.resume()
    await within(10 * trial.patience, lambda: all(client.ended.done() for client in clients))
    codes = {client.code for client in clients}
    trial.check(codes == {3009}, f"they were closed with {codes}")
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "half-open", "200 clients are gone without a word: every segment that is sent to them is dropped, none is acknowledged; pings each second, 3 s for an answer",
    "their descriptors are free again within 10 s, though nobody hears of it")
async def half_open(trial):
    node, crowd, clients = await without_an_answer(trial, lambda client: client.vanish())
    trial.check(not any(client.ended.done() for client in clients), "some have heard of it: the scenario does not do what it says")
    for client in clients:
        client.abort()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "slowloris", "3 000 at once, of which 1 000 send a byte of a handshake, of a header, of a body each second",
    "/live and /ready answer, new WebSockets come in; header timeout (5 s) and request timeout (here 8 s) end them; nobody else notices")
async def slowloris(trial):
    node, crowd = await embedded(trial, "--request-timeout", "8s")
    before = node.descriptors()
    body = f"POST /api/publish/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 500\r\n\r\n"
    beginnings = [b"G", b"GET /ws HTTP/1.1\r\nHost: x\r\nX-A: ", body.encode()]
    streams = []
    for begin in beginnings:
        for _ in range(1000):
            streams.append((await asyncio.open_connection(*split(node.address)))[1])
            streams[-1].write(begin)
    begun, slowest = time.monotonic(), 0
    while time.monotonic() - begun < 12:
        slowest = max(slowest, await trial.is_healthy(node, seconds=10))
        opened = time.monotonic()
        (await Socket.open(node.address)).abort()
        slowest = max(slowest, time.monotonic() - opened)
        for stream in streams:
            if not stream.is_closing():
                stream.write(b"x")
        await asyncio.sleep(1)
    freed = await within(20 * trial.patience, lambda: node.descriptors() <= before + 5)
    trial.check(freed is not None, f"{node.descriptors() - before} descriptors are not free again")
    trial.measure(f"health and a new WebSocket within {slowest:.2f} s each; all 3 000 were ended")
    for stream in streams:
        stream.close()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "ends without a word", "5 000 connections ended by RST: after the handshake's first half, behind a subscription, amid what they are sent; 50 at a time, under load",
    "their descriptors are free again; nobody else notices")
async def ends_without_a_word(trial):
    node, crowd = await embedded(trial)
    before, done = node.descriptors(), 0

    async def rude():
        nonlocal done
        for turn in range(100):
            reader, writer = await asyncio.open_connection(*split(node.address))
            # Close then sends RST (socket(7), SO_LINGER).
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request = handshake(node.address, "/ws")
            writer.write(request if turn % 3 else request[:40])
            if turn % 3:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(frame(TEXT, b"SUB numbers") + frame(TEXT, b"GET fleet") + frame(TEXT, b"SUB fleet track"))
                if turn % 3 == 2:
                    await reader.read(2000)
            writer.transport.abort()
            done += 1

    await asyncio.gather(*(rude() for _ in range(50)))
    freed = await within(20 * trial.patience, lambda: node.descriptors() <= before)
    trial.check(freed is not None, f"{node.descriptors() - before} descriptors are not free again")
    trial.measure(f"{done} ended; descriptors free {freed or 0:.1f} s later")
    await crowd.settle()
    crowd.none_missed()


class Follower:
    """One of many who count what comes on a channel."""

    __slots__ = ("socket", "count")

    async def open(self, address, channels):
        self.count = -1
        self.socket = await Socket.open(address, "/ws", self._take)
        for channel in channels:
            self.socket.send(f"SUB {channel}")
        self.socket.send("PING")
        return self

    def _take(self, message):
        # The first is the greeting, the second the PONG.
        self.count += 1


async def without_an_answer(trial, quiet):
    """A node, and 200 clients of it that have become quiet and whose descriptors are to be free again."""
    node, crowd = await embedded(trial, "--ping-interval", "1s", "--pong-timeout", f"{3 * trial.patience:.0f}s")
    before = node.descriptors()
    clients = [await Socket.open(node.address) for _ in range(200)]
    for client in clients:
        client.answers_pings = False
        quiet(client)
    freed = await within(10 * trial.patience, lambda: node.descriptors() <= before)
    if trial.check(freed is not None, f"{node.descriptors() - before} descriptors are not free again"):
        trial.measure(f"200 were closed and their descriptors free after {freed:.1f} s")
    return node, crowd, clients


async def with_slow_readers(trial, quick, slow):
    """Floods so many who read, and so many who do not."""
    trial.allows_cuts = True
    node, crowd = await embedded(trial)
    readers, idlers = await follow(node, quick, "flood"), await follow(node, slow, "flood", "heavy")
    for idler in idlers:
        idler.socket.pause()
    http = Http(node.address, [f"Authorization: Bearer {KEY}"])
    small, large = (json.dumps("x" * size).encode() for size in (4 << 10, 400 << 10))
    for number in range(300):
        await http.ask("POST", "/api/publish/flood", small)
        # More than the kernel takes for a client, and the server for it.
        if number < 40:
            await http.ask("POST", "/api/publish/heavy", large)
    http.close()
    took = await within(60, lambda: all(reader.count == 300 for reader in readers))
    behind = sum(reader.count != 300 for reader in readers)
    if trial.check(took is not None, f"{behind} of {quick} do not get everything; {sum(not r.socket.is_open for r in readers)} were closed"):
        trial.measure(f"{quick} clients had 300 messages {took:.1f} s after the last was published")
    await is_rid_of(trial, node, idlers, readers)
    for reader in readers:
        reader.socket.abort()
    await crowd.settle()
    crowd.none_missed()


async def follow(node, number, *channels):
    """So many clients of these channels, which are subscribed."""
    followers = []
    for start in range(0, number, 100):
        batch = range(start, min(start + 100, number))
        followers += await asyncio.gather(*(Follower().open(node.address, channels) for _ in batch))
    if await within(60, lambda: all(follower.count == 1 for follower in followers)) is None:
        raise RuntimeError("not all are subscribed")
    for follower in followers:
        follower.count = 0
    return followers


async def is_rid_of(trial, node, slow, others):
    """The server closes those who do not read, which they see when they do."""
    connected = len(others) + CROWD
    took = await within(30 * trial.patience, lambda: node.sockets() <= connected)
    if trial.check(took is not None, f"{node.sockets() - connected} of {len(slow)} slow clients are connected still"):
        trial.measure(f"the {len(slow)} slow closed after {took:.1f} s more")
    for follower in slow:
        follower.socket.resume()
    await within(10 * trial.patience, lambda: all(follower.socket.ended.done() for follower in slow))
    codes = [follower.socket.code for follower in slow]
    # The close frame is behind what they did not read, unless the kernel had no room for it.
    trial.check(set(codes) <= {3008, CUT}, f"slow clients were closed with {set(codes)}")
    trial.measure(f"{codes.count(3008)} of them saw the code")


#: Well-behaved clients, and their publisher.
CROWD = 6
