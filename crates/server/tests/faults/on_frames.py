"""Frames and JSON that are wrong, too large, too deep or too many."""

import asyncio
import random
import time
import zlib

from crowd import embedded
from processes import KEY
from trial import scenario, within
from watchers import Rpc
from wire import CLOSE, PING, PONG, TEXT, Http, Socket, frame


@scenario(
    "clients", "frames that are wrong", "27 ways to break RFC 6455 or a bound, 10 times each, and 500 connections of random bytes",
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
    "calls are answered by an error, never by a close; publications are taken, or refused with 422; under 3 s of processor time", quick=True)
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
    trial.check(statuses <= {200, 422}, f"publications are answered by {statuses}")
    used = node.processor_time() - begun
    trial.check(used < 3 * trial.patience, f"it took {used:.1f} s of processor time")
    trial.measure(f"{20 * (len(BOMBS) + len(PUBLISHED_BOMBS))} took {used:.1f} s of processor time; publications answered by {sorted(statuses)}")
    viewer.socket.abort()
    http.close()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "floods of small frames", "for 5 s, 20 clients that send nothing but pings, pongs, empty fragments, messages in one-byte fragments, as fast as they can",
    "they are read more slowly, or answered; nobody else notices; under 200 MiB")
async def floods_of_small_frames(trial):
    node, crowd = await embedded(trial)
    kinds = [frame(PING, b"x") * 500, frame(PONG, b"") * 500, frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 500,
             (frame(TEXT, b"P", fin=False) + b"".join(frame(0, bytes([byte]), fin=False) for byte in b"IN") + frame(0, b"G")) * 100]
    begun, sent, used = time.monotonic(), 0, node.processor_time()

    async def flood(kind):
        nonlocal sent
        client = await Socket.open(node.address, "/ws")
        if kind is kinds[2]:
            client.write(kind)
            kind = frame(0, b"", fin=False) * 500
        while time.monotonic() - begun < 5 and client.is_open:
            # Not more than the server takes.
            if client.waiting() < 1 << 18:
                client.write(kind)
                sent += 1
            await asyncio.sleep(0.001)
        code = client.code
        client.abort()
        return code

    codes = await asyncio.gather(*(flood(kinds[number % 4]) for number in range(20)))
    trial.check(set(codes) <= {None, 1009}, f"closed with {set(codes)}")
    used = node.processor_time() - used
    trial.measure(f"{sent * 500} frames sent; {codes.count(None)} of 20 stayed connected; {used:.1f} s of processor time")
    await crowd.goes_on()
    await crowd.settle()
    crowd.none_missed()


@scenario(
    "clients", "compressed bombs", "with --deflate: messages of 16 KiB that inflate to 16 MB, streams that are broken, cut off or empty, 50 times each",
    "1009 for what is too large, 1007 for what cannot be inflated; under 3 s of processor time")
async def compressed_bombs(trial):
    node, crowd = await embedded(trial, "--deflate")
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packed.compress(b" " * 16_000_000) + packed.flush(zlib.Z_SYNC_FLUSH)
    kinds = [(bomb[:-4], 1009), (bomb[:9000], 1009), (b"\xff\xff\xff", 1007), (bytes(range(1, 200)), 1007)]
    begun = node.processor_time()

    async def one(payload):
        client = await Socket.open(node.address, "/ws", headers=["Sec-WebSocket-Extensions: permessage-deflate"])
        client.write(frame(TEXT, payload, rsv=4))
        return await asyncio.wait_for(client.ended, 20 * trial.patience)

    for payload, expected in kinds:
        codes = set(await asyncio.gather(*(one(payload) for _ in range(50))))
        trial.check(codes == {expected}, f"{len(payload)} bytes, {payload[:8].hex()}…: {codes}, not {expected}")
    used = node.processor_time() - begun
    trial.check(used < 3 * trial.patience, f"it took {used:.1f} s of processor time")
    trial.measure(f"200 took {used:.1f} s of processor time")
    await crowd.settle()
    crowd.none_missed()


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
