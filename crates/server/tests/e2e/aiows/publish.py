"""Publishes as the users of aiows do. The only argument is where the server is, such as http://127.0.0.1:8765."""

import json
import sys
import urllib.error
import urllib.request

try:
    import requests
except ImportError:

    class requests:
        """The one function of the package that is needed, with the same bytes on the wire."""

        @staticmethod
        def post(url, headers=None, data=None, json_body=None, **options):
            headers = dict(headers or {})
            document = options.get("json", json_body)
            if document is not None:
                data = json.dumps(document)
                headers["Content-Type"] = "application/json"
            body = data.encode() if isinstance(data, str) else data
            request = urllib.request.Request(url, data=body, headers=headers, method="POST")
            try:
                with urllib.request.urlopen(request) as answer:
                    return Answer(answer.status, answer.read().decode())
            except urllib.error.HTTPError as answer:
                return Answer(answer.code, answer.read().decode())

    class Answer:
        def __init__(self, status_code, text):
            self.status_code = status_code
            self.text = text


server = sys.argv[1]

answers = [
    requests.post(
        url=server + '/channel/test-channel/?pwd=some-secure-pwd',
        headers={'package-type': 'text'},
        data='Hello world'
    ),
    requests.post(
        url=server + '/broadcast/?pwd=some-secure-pwd',
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
    ),
    requests.post(
        url=server + '/channel/test-channel/?pwd=another-pwd',
        headers={'package-type': 'text'},
        data='Hello world'
    ),
]
for answer in answers:
    print(answer.status_code, answer.text)
