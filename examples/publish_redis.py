#!/usr/bin/env python3
"""Moves vehicles and publishes them through Redis, with redis-py. Ctrl+C takes them off the map.

geocast serve --redis redis://127.0.0.1:6379 --channels vehicles    # in another terminal
pip install redis
python3 examples/publish_redis.py
"""

import argparse
import json
import signal
import time

import redis

from vehicles import Vehicle


def publish(connection, channel, vehicles):
    """Writes each feature into the channel's hash, then publishes it: in this order nobody misses it."""
    with connection.pipeline(transaction=False) as pipeline:
        for vehicle in vehicles:
            feature = json.dumps(vehicle.feature())
            pipeline.hset(channel, vehicle.key, feature)
            pipeline.publish(channel, feature)
        pipeline.execute()


def remove(connection, channel, vehicles):
    """Takes them out of the hash, and says so."""
    with connection.pipeline(transaction=False) as pipeline:
        for vehicle in vehicles:
            pipeline.hdel(channel, vehicle.key)
            pipeline.publish(channel, json.dumps(vehicle.deleted()))
        pipeline.execute()


def main():
    parser = argparse.ArgumentParser(description="Move vehicles, and publish them through Redis.")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379", help="where Redis is [%(default)s]")
    parser.add_argument("--channel", default="vehicles", help="the channel, and the hash of its state [%(default)s]")
    parser.add_argument("--vehicles", type=int, default=100, help="how many [%(default)s]")
    parser.add_argument("--interval", type=float, default=1, help="seconds between two positions [%(default)s]")
    arguments = parser.parse_args()
    # What runs in the background of a script ignores Ctrl+C, and a service is ended with SIGTERM: both take the vehicles away.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)

    connection = redis.Redis.from_url(arguments.redis, socket_timeout=5)
    vehicles = [Vehicle(number) for number in range(arguments.vehicles)]
    print(f"{len(vehicles)} vehicles on the channel {arguments.channel}; Ctrl+C ends", flush=True)
    try:
        while True:
            for vehicle in vehicles:
                vehicle.drive(arguments.interval)
            try:
                publish(connection, arguments.channel, vehicles)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                # Redis may be away for a while. The next positions replace those that were lost.
                print(f"trying again: {error}", flush=True)
            time.sleep(arguments.interval)
    except KeyboardInterrupt:
        try:
            remove(connection, arguments.channel, vehicles)
        except redis.RedisError as error:
            raise SystemExit(f"the vehicles stay where they are: {error}") from None


if __name__ == "__main__":
    main()
