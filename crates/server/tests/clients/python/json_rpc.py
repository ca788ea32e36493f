"""A JSON-RPC 2.0 client that knows nothing of geocast: python json_rpc.py ws://127.0.0.1:8765/rpc

Prints what it was answered and pushed, one JSON object.
"""

import json, sys

from jsonrpcclient import Error, Ok, parse, request_json
from websockets.sync.client import connect

with connect(sys.argv[1]) as socket:
    pushed = []

    def call(method, params=None):
        socket.send(request_json(method, params=params))
        while True:
            message = json.loads(socket.recv(timeout=10))
            if "method" in message:
                pushed.append(message["params"])
                continue
            match parse(message):
                case Ok(result):
                    return result
                case Error(code, message):
                    return {"code": code, "message": message}

    answers = {
        "subscribed": call("subscribe", {"channel": "news"}),
        "published": call("publish", ["news", {"text": "from PyPI"}]),
    }
    answers["refused"] = call("projection", ["EPSG:999998"])
    while not pushed:
        pushed.append(json.loads(socket.recv(timeout=10))["params"])
    print(json.dumps(answers | {"pushed": pushed}))
