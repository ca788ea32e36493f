"""The gateway whose text dialect geocast speaks, with its viewports, on every channel.

    python3.10 -m venv venv && venv/bin/pip install redis-websocket-api==0.4.4 aioredis==2.0.1 'websockets<11' pyproj uvloop
    PORT=3000 REDIS_DSN=redis://127.0.0.1 venv/bin/python serve.py
"""

import asyncio, os, sys

import aioredis
import uvloop
from redis_websocket_api import WebsocketHandler, WebsocketServer
from redis_websocket_api.geo_protocol import GeoCommandsMixin

if os.environ.get("LOOP") != "asyncio":
    uvloop.install()
asyncio.set_event_loop(asyncio.new_event_loop())


class Handler(GeoCommandsMixin, WebsocketHandler):
    allowed_commands = (*WebsocketHandler.allowed_commands, "BBOX", "PROJECTION")

    def channel_is_allowed(self, channel):
        return True


redis = aioredis.from_url(os.environ["REDIS_DSN"], encoding="utf-8", decode_responses=True)
print("reference listens on", os.environ["PORT"], file=sys.stderr, flush=True)
WebsocketServer(redis=redis, handler_class=Handler).listen(
    "127.0.0.1", int(os.environ["PORT"]), channel_names=[os.environ.get("CHANNEL", "bench")]
)
