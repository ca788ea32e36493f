"""Clients that do not read, do not answer, do not end what they begin, or do not speak the protocol."""

import asyncio
import json
import random
import time

from crowd import embedded
from processes import KEY, MIB
from trial import scenario, within
from watchers import Rpc
from wire import CLOSE, CUT, PING, TEXT, Http, Socket, frame, split


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
    "clients", "half-open", "200 clients stop reading and answering, without FIN; pings each second, 3 s for an answer",
    "closed with 3009; their descriptors are free again within 10 s")
async def half_open(trial):
    node, crowd = await embedded(trial, "--ping-interval", "1s", "--pong-timeout", f"{3 * trial.patience:.0f}s")
    before = node.descriptors()
    silent = [await Socket.open(node.address) for _ in range(200)]
    for client in silent:
        client.answers_pings = False
        client.pause()
    freed = await within(10 * trial.patience, lambda: node.descriptors() <= before)
    if trial.check(freed is not None, f"{node.descriptors() - before} descriptors are not free again"):
        trial.measure(f"200 were closed and their descriptors free after {freed:.1f} s")
    for client in silent:
        client.resume()
    await within(10 * trial.patience, lambda: all(client.ended.done() for client in silent))
    codes = {client.code for client in silent}
    trial.check(codes == {3009}, f"they were closed with {codes}")
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
    "clients", "frames that are wrong", "28 ways to break RFC 6455 or a bound, 10 times each, and 500 connections of random bytes",
    "each ends its own connection with the code of its kind, or is answered; nobody else notices", quick=True)
async def wrong_frames(trial):
    node, crowd = await embedded(trial)
    before = node.descriptors()
    for name, raw, expected in WRONG_FRAMES:
        codes = set(await asyncio.gather(*(ended_by(node, raw) for _ in range(10))))
        trial.check(codes == {expected}, f"{name}: {codes}, not {expected}")
    seeds = random.Random(11)
    codes = await asyncio.gather(*(ended_by(node, seeds.randbytes(300), 3) for _ in range(500)))
    trial.check(set(codes) <= {None, 1002, 1007, 1009}, f"random bytes: {set(codes)}")
    trial.measure(f"{len(WRONG_FRAMES) * 10} closed with their codes; of 500 with random bytes {codes.count(1002)} with 1002, {codes.count(1009)} with 1009, {codes.count(None)} wait for more")
    freed = await within(10 * trial.patience, lambda: node.descriptors() <= before)
    trial.check(freed is not None, f"{node.descriptors() - before} descriptors are not free again")
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "JSON bombs", "calls and publications nested 8 000 and 500 000 deep, batches of 5 000, numbers of 15 000 digits, strings of escapes, each 20 times",
    "calls are answered by an error, never by a close; publications deliver or are withheld; under 3 s of processor time", quick=True)
async def json_bombs(trial):
    node, crowd = await embedded(trial)
    viewer = await Rpc().open(node.address)
    await viewer.call("viewport", bbox=[0, 0, 10, 10])
    await viewer.call("subscribe", channel="bombs")
    begun = node.processor_time()
    for text in BOMBS:
        answers = []
        client = await Socket.open(node.address, on_text=answers.append)
        for _ in range(20):
            client.send(text)
        await within(30 * trial.patience, lambda: len(answers) >= 20 or not client.is_open)
        wrong = [answer[:80] for answer in answers if b'"error"' not in answer]
        trial.check(client.is_open and len(answers) == 20 and not wrong, f"{text[:40]}…: {len(answers)} answers, {wrong[:1]}, closed with {client.code}")
        client.abort()
    http, statuses = Http(node.address, [f"Authorization: Bearer {KEY}"]), set()
    for text in PUBLISHED_BOMBS:
        for _ in range(20):
            statuses.add((await http.ask("POST", "/api/publish/bombs", text.encode()))[0])
    trial.check(await viewer.call("ping") == "pong", "the subscriber is not answered")
    used = node.processor_time() - begun
    trial.check(used < 3 * trial.patience, f"it took {used:.1f} s of processor time")
    trial.measure(f"{20 * (len(BOMBS) + len(PUBLISHED_BOMBS))} took {used:.1f} s of processor time; publications answered by {sorted(statuses)}")
    viewer.socket.abort()
    http.close()
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


async def ended_by(node, raw, seconds=20):
    """The code with which the connection ends that these bytes were sent on, or None if it does not."""
    client = await Socket.open(node.address)
    client.write(raw)
    try:
        return await asyncio.wait_for(client.ended, seconds)
    except TimeoutError:
        client.abort()
        return None


def nested(deep, begin="[", end="]"):
    return begin * deep + end * deep


#: Well-behaved clients, and their publisher.
CROWD = 6
LARGE = b"x" * 20_000
CALL = '{"jsonrpc":"2.0","id":1,"method":"publish","params":["x",'
#: What it is, the bytes, and the close code.
WRONG_FRAMES = [
    ("RSV1 without agreement", frame(TEXT, b"a", rsv=4), 1002),
    ("RSV2", frame(TEXT, b"a", rsv=2), 1002),
    ("RSV3", frame(PING, b"a", rsv=1), 1002),
    *((f"opcode {opcode}", frame(opcode, b"a"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    ("not masked", frame(TEXT, b"a", masked=False), 1002),
    ("a ping in fragments", frame(PING, b"a", fin=False), 1002),
    ("a ping of 126 bytes", frame(PING, b"x" * 126), 1002),
    ("a close frame of one byte", frame(CLOSE, b"x"), 1002),
    ("a close code that does not exist", frame(CLOSE, (999).to_bytes(2)), 1002),
    ("a reserved close code", frame(CLOSE, (1006).to_bytes(2)), 1002),
    ("a continuation of nothing", frame(0, b"a"), 1002),
    ("a message within another", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    ("text that is not UTF-8", frame(TEXT, b"\xff\xfe"), 1007),
    ("text that is not UTF-8 in its second fragment", frame(TEXT, b"a", fin=False) + frame(0, b"\xc3\x28"), 1007),
    ("text that ends within a character", frame(TEXT, b"\xe2\x82"), 1007),
    ("a message that is too long", frame(TEXT, LARGE), 1009),
    ("a message that is too long in two fragments", frame(TEXT, LARGE[:10_000], fin=False) + frame(0, LARGE[:10_000]), 1009),
    ("a terabyte, declared", frame(TEXT, b"a", length=1 << 40), 1009),
]
BOMBS = [
    nested(8000),
    CALL + nested(8000) + "]}",
    CALL + nested(2500, '{"a":', "}").replace(":}", ":1}", 1) + "]}",
    "[" + ",".join(["1"] * 5000) + "]",
    '{"jsonrpc":"2.0","id":1,"method":"viewport","params":{"bbox":[' + "9" * 15_000 + ",0,1,1]}}",
    '{"jsonrpc":"2.0","id":1,"method":"' + "\\u0000" * 2000 + '"}',
    '{"jsonrpc":"2.0","id":1,"method":"get","params":{' + ",".join(f'"k{n}":1' for n in range(1200)) + "}}",
    '{"jsonrpc":"2.0","id":1,"method":"viewport","params":{"bbox":[1e999,-1e999,1e999,1e999]}}',
]
PUBLISHED_BOMBS = [
    nested(500_000),
    nested(100_000, '{"a":', "}").replace(":}", ":1}", 1),
    '{"type":"GeometryCollection","geometries":[' * 20_000 + "]}" * 20_000,
    '{"type":"Point","coordinates":[' + "1" * 1_000_000 + ",1]}",
    '{"type":"LineString","coordinates":[' + ",".join(["[1,1]"] * 150_000) + "]}",
    '{"type":"Point","coordinates":' + nested(300_000) + "}",
    '{"type":"Feature","geometry":null,"properties":{' + ",".join(f'"p{n}":{n}' for n in range(60_000)) + "}}",
]
