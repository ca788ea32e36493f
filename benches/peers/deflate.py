#!/usr/bin/env python3
"""What permessage-deflate saves and costs: bytes and the server's processor time per delivery, with and without.

usage: benches/peers/deflate.py target/release/geocast [--rounds 5] [--clients 1000] [--messages 2000]

Features of some 450 bytes, one message after the other. The server has the first core, this program the second; both
ways take turns, and the server is started with --deflate for both. The figures of processor time have the publishing
over HTTP in them, which is the same for both; those of memory are what the server has grown by while clients connected
and subscribed.
"""

import argparse
import http.client
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time

AT_ONCE, WARM_UP = 100, 100
PORT = 9932


def feature(number):
    """A feature as a tracker of trains publishes them."""
    x, y = number * 7919 % 100000 / 1e6, number * 104729 % 100000 / 1e6
    position = [round(8.5 + x, 7), round(47.3 + y, 7)]
    line = {"id": 1000 + number % 50, "name": f"S {number % 24}", "color": "#ffffff", "stroke": "#0a7dc9"}
    properties = {
        "train_id": f"sbb_{number}_1417", "line": line, "state": "DRIVING", "delay": number * 37 % 300000,
        "type": "rail", "route_identifier": f"{18000 + number}.003882.001:12", "raw_coordinates": position,
        "tenant": "sbb", "time_since_update": number % 5000, "operator_provides_realtime_journey": "yes",
        "event_timestamp": 1732160000000 + number * 977, "rake": None,
    }
    geometry = {"type": "Point", "coordinates": position}
    document = {"type": "Feature", "id": number, "geometry": geometry, "properties": properties}
    return json.dumps(document, separators=(",", ":"))


def frame(text):
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


def receive_until(client, end):
    received = b""
    while end not in received:
        received += client.recv(4096)
    return received


def connect(offer):
    client = socket.create_connection(("127.0.0.1", PORT))
    client.sendall((
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n").encode())
    greeting = receive_until(client, b'"open"')
    assert (b"sec-websocket-extensions" in greeting.lower()) == bool(offer), greeting
    client.sendall(frame("SUB trains") + frame("PING"))
    receive_until(client, b"PONG")
    client.setblocking(False)
    return client


def publish(clients, poll, first, number):
    """Publishes, and returns the bytes that all clients have received in the end."""
    received = 0
    for begin in range(first, first + number, AT_ONCE):
        # A new connection each time: the server closes one that is idle while this program reads.
        publisher = http.client.HTTPConnection("127.0.0.1", PORT)
        for message in range(begin, begin + AT_ONCE):
            publisher.request("POST", "/api/publish/trains", feature(message))
            publisher.getresponse().read()
        # Whatever is on its way arrives.
        while events := poll.poll(0.1):
            for descriptor, _ in events:
                part = clients[descriptor].recv(1 << 16)
                assert part, "the server has closed a connection"
                received += len(part)
    # All are sent the same, so nothing is missing and nothing is left over.
    assert received % len(clients) == 0, f"{received} bytes do not divide among {len(clients)} clients"
    return received


def resident(process):
    with open(f"/proc/{process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(arguments, offer):
    # The clients answer no pings.
    options = ["serve", "--deflate", "--workers=1", f"--port={PORT}", "--log=warn", "--ping-interval=1h"]
    server = subprocess.Popen(
        ["taskset", "-c", "0", arguments.geocast, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        poll, clients, empty = select.epoll(), {}, resident(server)
        for client in (connect(offer) for _ in range(arguments.clients)):
            clients[client.fileno()] = client
            poll.register(client, select.EPOLLIN)
        grown = resident(server) - empty
        publish(clients, poll, 0, WARM_UP)
        before = processor_seconds(server)
        received = publish(clients, poll, WARM_UP, arguments.messages)
        deliveries = arguments.messages * arguments.clients
        used = (processor_seconds(server) - before) / deliveries
        return received / deliveries, used * 1e6, grown / arguments.clients
    finally:
        assert server.poll() is None, f"the server has ended: {server.returncode}"
        server.kill()
        server.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("geocast")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=2000)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    published = range(WARM_UP, WARM_UP + arguments.messages)
    print("a feature has %.0f bytes" % statistics.mean(len(feature(number)) for number in published))
    offers = {"plain": "", "compressed": "Sec-WebSocket-Extensions: permessage-deflate\r\n"}
    figures = {name: [] for name in offers}
    for _ in range(arguments.rounds):
        for name, offer in offers.items():
            figures[name].append(measure(arguments, offer))
            print(name, "%.1f bytes, %.2f µs per delivery, %.0f bytes of memory" % figures[name][-1], flush=True)
    for place, unit in enumerate(("bytes per delivery", "µs per delivery", "bytes of memory per client")):
        columns = [[figure[place] for figure in figures[name]] for name in offers]
        plain, compressed = map(statistics.median, columns)
        ranges = ["[%.2f–%.2f]" % (min(column), max(column)) for column in columns]
        print(f"{unit}: {plain:.2f} {ranges[0]} plain, {compressed:.2f} {ranges[1]} compressed: {compressed / plain:.2f}")


main()
