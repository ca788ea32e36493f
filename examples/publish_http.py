#!/usr/bin/env python3
"""Moves vehicles and publishes them over HTTP, with nothing but Python itself. Ctrl+C takes them off the map.

geocast serve                                                       # in another terminal
python3 examples/publish_http.py
"""

import argparse
import http.client
import json
import os
import signal
import time
import urllib.parse

from vehicles import Vehicle


class Publisher:
    """One connection to a server, which is opened again when it breaks."""

    def __init__(self, url, channel, key=None):
        parts = urllib.parse.urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.hostname, parts.port, timeout=10)
        self.path = f"{parts.path.rstrip('/')}/api/state/{urllib.parse.quote(channel, safe='')}/"
        # A publish key or a token, where the server wants one.
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def put(self, vehicle):
        """Sets the vehicle's key of the channel's state, and publishes it."""
        self._request("PUT", vehicle, json.dumps(vehicle.feature()))

    def delete(self, vehicle):
        """Removes it; clients that track the channel are told."""
        self._request("DELETE", vehicle, None)

    def _request(self, method, vehicle, body):
        path = self.path + urllib.parse.quote(vehicle.key, safe="")
        try:
            status, said = self._ask(method, path, body)
        except (ConnectionError, http.client.BadStatusLine):
            # A server closes a connection that has rested for some seconds. It does no harm to ask twice.
            status, said = self._ask(method, path, body)
        if status in (401, 403):
            raise SystemExit(f"not allowed: {said.decode()} (a key: --key, or GEOCAST_PUBLISH_KEY)")
        if status >= 400:
            raise OSError(f"HTTP {status}: {said.decode()}")

    def _ask(self, method, path, body):
        try:
            self.connection.request(method, path, body, self.headers)
            response = self.connection.getresponse()
            return response.status, response.read()
        except BaseException:
            # The answer to what was asked is not to be taken for that to the next question.
            self.connection.close()
            raise


def main():
    parser = argparse.ArgumentParser(description="Move vehicles, and publish them over HTTP.")
    parser.add_argument("--url", default="http://127.0.0.1:8765", help="where the server is [%(default)s]")
    parser.add_argument("--key", default=os.environ.get("GEOCAST_PUBLISH_KEY"), help="its publish key, or a token")
    parser.add_argument("--channel", default="vehicles", help="the channel [%(default)s]")
    parser.add_argument("--vehicles", type=int, default=100, help="how many [%(default)s]")
    parser.add_argument("--interval", type=float, default=1, help="seconds between two positions [%(default)s]")
    arguments = parser.parse_args()
    # What runs in the background of a script ignores Ctrl+C, and a service is ended with SIGTERM: both take the vehicles away.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)

    publisher = Publisher(arguments.url, arguments.channel, arguments.key)
    vehicles = [Vehicle(number) for number in range(arguments.vehicles)]
    print(f"{len(vehicles)} vehicles on the channel {arguments.channel}; Ctrl+C ends", flush=True)
    try:
        while True:
            for vehicle in vehicles:
                vehicle.drive(arguments.interval)
            try:
                for vehicle in vehicles:
                    publisher.put(vehicle)
            except (OSError, http.client.HTTPException) as error:
                # The server may be away for a while. The next positions replace those that were lost.
                print(f"trying again: {error}", flush=True)
            time.sleep(arguments.interval)
    except KeyboardInterrupt:
        try:
            for vehicle in vehicles:
                publisher.delete(vehicle)
        except (OSError, http.client.HTTPException) as error:
            raise SystemExit(f"the vehicles stay where they are: {error}") from None


if __name__ == "__main__":
    main()
