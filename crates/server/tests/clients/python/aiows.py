import requests

requests.post(
    url='http://127.0.0.1/channel/test-channel/?pwd=some-secure-pwd', 
    headers={'package-type': 'text'}, 
    data='Hello world'
)

import requests

requests.post(
    url='http://127.0.0.1/broadcast/?pwd=some-secure-pwd', 
    json={
        "test-channel": [
            {"text": "Hello world"}
        ],
        "call:stream-channel": [
            {"bytes": "\x031\x032\x033..."}, 
            {"bytes": "\x031\x032\x033..."},
            {"bytes": "\x031\x032\x033..."},
            {"bytes": "\x031\x032\x033..."},
            {"bytes": "\x031\x032\x033..."},
            {"bytes": "\x031\x032\x033..."}
        ]
    }
)
