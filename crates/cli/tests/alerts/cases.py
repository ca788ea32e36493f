"""For each alert, what Prometheus has of a server that is ill, and of servers that are just well, a scrape each 15 s.

Values are in the notation of `promtool test rules`: `1x4` is 1 and four more of it, `0+2x4` rises by 2 four times.
"""

from dataclasses import dataclass, field


@dataclass
class Case:
    # By instance: series without the labels that Prometheus adds, and their values. `ill` alone is to be told of.
    series: dict[str, dict[str, str]]
    # Until when nobody is told of, and from when the ill one is. Between them lies what the alert waits for.
    silent: str
    fires: str
    summary: str
    # Besides the instance.
    labels: dict[str, str] = field(default_factory=lambda: {"job": "geocast"})


def buckets(below_100, below_250):
    name = "geocast_publish_to_write_seconds_bucket"
    return {
        f'{name}{{worker="0",le="0.1"}}': f"0+{below_100}x120",
        f'{name}{{worker="0",le="0.25"}}': f"0+{below_250}x120",
        f'{name}{{worker="0",le="+Inf"}}': "0+100x120",
    }


def refused(reason, each):
    return {f'geocast_connections_refused_total{{reason="{reason}"}}': f"0+{each}x120"}


def closed(code, reason, each):
    return {f'geocast_connections_closed_total{{code="{code}",reason="{reason}"}}': f"0+{each}x120"}


def clients(text, rpc):
    name = "geocast_connections"
    return {f'{name}{{dialect="geocast.text"}}': f"{text}x120", f'{name}{{dialect="geocast.rpc"}}': f"{rpc}x120"}


CASES = {
    "GeocastDown": Case(
        {"ill": {"up": "1 0x120"}, "well": {"up": "1 0x3 1x120"}, "another": {'up{job="node"}': "0x120"}},
        "1m", "75s", "ill does not answer",
    ),
    # Twice within a quarter of an hour, once, and twice in 17 minutes.
    "GeocastRestarts": Case(
        {
            "ill": {"process_start_time_seconds": "100x40 200x40 300x120"},
            "well": {"process_start_time_seconds": "100x40 200x120"},
            "seldom": {"process_start_time_seconds": "100x12 200x68 300x120"},
        },
        "20m", "20m30s", "ill starts again and again",
    ),
    "GeocastWorkerHangs": Case(
        {
            "ill": {'geocast_worker_up{worker="0"}': "1x120", 'geocast_worker_up{worker="1"}': "1 0x120"},
            "well": {'geocast_worker_up{worker="0"}': "1 0x3 1x120"},
        },
        "1m", "75s", "worker 1 of ill does not go through its loop, its clients get nothing", {"job": "geocast", "worker": "1"},
    ),
    "GeocastStoreAway": Case(
        {"ill": {'geocast_store_up{store="redis"}': "1 0x120"}, "well": {'geocast_store_up{store="embedded"}': "1 0x3 1x120"}},
        "1m", "75s", "ill cannot use its store: no state, and no messages", {"job": "geocast", "store": "redis"},
    ),
    "GeocastStoreDeaf": Case(
        {"ill": {"geocast_store_probe_age_seconds": "5 31x120"}, "well": {"geocast_store_probe_age_seconds": "5 30x120"}},
        "1m", "75s", "ill has not been proven to hear Redis for 31s",
    ),
    "GeocastGaps": Case(
        {"ill": {"geocast_gaps_told_total": "0x40 0+1x80"}, "well": {"geocast_gaps_told_total": "7x120"}},
        "10m", "22m", "ill may have missed messages, and has told 40 subscriptions so",
    ),
    # A tenth of a command a second are 1.5 in 15 seconds.
    "GeocastStoreCommandsFail": Case(
        {"ill": {"geocast_store_commands_failed_total": "0+3x120"}, "well": {"geocast_store_commands_failed_total": "0+1x120"}},
        "6m", "12m", "0.2 commands a second to the store of ill fail",
    ),
    # Of few, of many, and for a moment.
    "GeocastSlowClients": Case(
        {
            "ill": {"geocast_slow_clients": "0 11x120"} | clients(150, 60),
            "few": {"geocast_slow_clients": "0 10x120"} | clients(10, 0),
            "many": {"geocast_slow_clients": "0 11x120"} | clients(150, 90),
            "soon": {"geocast_slow_clients": "0 11x18 0x120"} | clients(150, 60),
        },
        "5m", "5m15s", "11 clients of ill read more slowly than messages come",
    ),
    "GeocastSlowClientsClosed": Case(
        {"ill": closed("3008", "slow_consumer", 3), "well": closed("3008", "slow_consumer", 1) | closed("none", "client_gone", 90)},
        "10m", "25m", "ill closes 0.2 clients a second that do not read fast enough", {},
    ),
    "GeocastRefuses": Case(
        {
            "ill": refused("token_refused", 30) | refused("address_limit", 1),
            "well": refused("origin_refused", 14) | refused("connection_limit", 14) | refused("not_found", 90),
        },
        "6m", "12m", "ill refuses 2.0 connections a second: token_refused", {"reason": "token_refused"},
    ),
    "GeocastConnectionsNearLimit": Case(
        {
            "ill": clients(60, 31) | {"geocast_connections_limit": "100x120"},
            "well": clients(60, 30) | {"geocast_connections_limit": "100x120"},
        },
        "4m45s", "5m", "ill has 91 connections, nine tenths of what it may have", {},
    ),
    # Of a hundred messages the ninety-ninth waits half of what is between the bounds, and less than the lower one.
    "GeocastLate": Case(
        {"ill": buckets(98, 100), "well": buckets(100, 100), "idle": buckets(0, 0) | {
            'geocast_publish_to_write_seconds_bucket{worker="0",le="+Inf"}': "0x120",
        }},
        "10m", "16m", "messages wait 175ms in ill before they are written", {},
    ),
    "GeocastBacklog": Case(
        {
            "ill": {"geocast_in_flight_bytes": "0 81x120", "geocast_in_flight_limit_bytes": "100x120"},
            "well": {"geocast_in_flight_bytes": "0 80x120", "geocast_in_flight_limit_bytes": "100x120"},
        },
        "1m", "75s", "ill cannot write messages as fast as its store has them", {},
    ),
    "GeocastMemory": Case(
        {
            "ill": {"process_resident_memory_bytes": "0 4294967296x120"},
            "well": {"process_resident_memory_bytes": "0 4000000000x120"},
            "another": {'process_resident_memory_bytes{job="node"}': "5000000000x120"},
        },
        "10m", "10m15s", "ill takes 4GiB of memory",
    ),
    "GeocastFilesNearLimit": Case(
        {
            "ill": {"process_open_fds": "0 91x120", "process_max_fds": "100x120"},
            "well": {"process_open_fds": "0 90x120", "process_max_fds": "100x120"},
        },
        "5m", "5m15s", "ill has 91 files open, nine tenths of what it may have", {},
    ),
    # Time begins with the test: the one has two weeks from then on, the other two hours more.
    "GeocastCertificateExpires": Case(
        {
            "ill": {'geocast_tls_certificate_expiry_timestamp_seconds{listener="127.0.0.1:8765"}': "1209600x480"},
            "well": {'geocast_tls_certificate_expiry_timestamp_seconds{listener="127.0.0.1:8765"}': "1216800x480"},
        },
        "1h", "1h30m", "the certificate of 127.0.0.1:8765 of ill is valid for 13d 22h 30m 0s", {"job": "geocast", "listener": "127.0.0.1:8765"},
    ),
    "GeocastReloadFailed": Case(
        {"ill": {"geocast_reload_failures": "0x4 1x120"}, "well": {"geocast_reload_failures": "0x120"}},
        "1m", "75s", "ill could not read its settings again and goes on with the old ones",
    ),
}
