use serde_json::{Value, json};

use super::*;

/// What a server might say.
pub(in crate::client::top) fn report() -> Value {
    let connection = |id: u64, waiting: u64, blocked: bool, behind: bool| {
        json!({
            "id": id, "address": format!("192.0.2.{id}:4711"), "dialect": "geocast.text", "age_seconds": 133.0,
            "crs": "EPSG:2056", "channels": { "count": 7, "names": ["a", "b", "c", "d", "e"] },
            "viewport": (id != 1).then(|| json!({ "crs": "EPSG:2056", "corners": [0, 0, 1, 1], "boxes": [[0, 0, 1, 1]] })),
            "waiting_bytes": waiting, "blocked": blocked, "behind": behind, "delivered": id, "dropped": 0,
        })
    };
    json!({
        "at": 1_763_752_984_500.0_f64,
        "server": {
            "version": "0.1.0", "uptime_seconds": 8000.0, "draining": false,
            "limits": { "connections": 100_000 },
        },
        "now": {
            "connections": 1204, "channels": 2, "subscriptions": 1300, "tracked": 14, "behind": 3, "slow": 1,
            "outbox_bytes": 40_000, "outbox_largest_bytes": 30_000,
        },
        "totals": { "events": 10, "delivered": 1_234_567 },
        "store": {
            "description": "redis at redis://localhost:6379", "healthy": true, "trouble": null, "reconnects": 2,
            "probe_age_seconds": 0.4, "probe_round_trip_seconds": 0.0012,
        },
        "workers": [{ "up": true, "connections": 600 }, { "up": true, "connections": 604 }],
        "channels": { "truncated": false, "list": [
            { "name": "vehicles", "subscribers": 1204, "events": 33, "deliveries": 34_201 },
            { "name": "news", "subscribers": 96, "events": 1, "deliveries": 96 },
        ] },
        "connections": { "next": null, "list": [
            connection(1, 0, false, false), connection(2, 10_000, false, false),
            connection(3, 0, false, true), connection(4, 30_000, true, false),
        ] },
        "slow": [connection(4, 30_000, true, false), connection(2, 10_000, false, false)],
        "errors": { "total": 1, "list": [{ "at": 1_763_752_980_000.0_f64, "level": "warn", "text": "redis is away" }] },
    })
}

fn shown(change: impl FnOnce(&mut Value), columns: usize, rows: Option<usize>) -> Vec<String> {
    let mut value = report();
    change(&mut value);
    let report = Report::read(value).unwrap();
    Table::new("ws://127.0.0.1:8765/ws", &report, &Rates::none()).lines(columns, rows)
}

#[test]
fn the_worst_come_first_and_all_is_there() {
    let expected = "\
geocast 0.1.0  ws://127.0.0.1:8765/ws  up 2 h 13 min
clients  1 204 of 100 000, 1 slow, 3 behind; 1 300 subscriptions, 14 tracked, 2 channels
a second – messages, – delivered, – withheld, –
waiting  39 KiB, at most 29 KiB for one; 1 234 567 delivered since the start
store    redis at redis://localhost:6379: well, heard 400 ms ago, probed in 1.2 ms, back 2 times

CHANNEL                CLIENTS  MESSAGES/s  DELIVERED/s    MESSAGES   DELIVERED
vehicles                 1 204           –            –          33      34 201
news                        96           –            –           1          96

CLIENT  ADDRESS                STATE    WAITING  DELIVERED  VIEWPORT    DIALECT           AGE  CHANNELS
4       192.0.2.4:4711         slow      29 KiB          4  EPSG:2056   text       2 min 13 s  a b c d e +2
2       192.0.2.2:4711                  9.8 KiB          2  EPSG:2056   text       2 min 13 s  a b c d e +2
3       192.0.2.3:4711         behind       0 B          3  EPSG:2056   text       2 min 13 s  a b c d e +2
1       192.0.2.1:4711                      0 B          1  everywhere  text       2 min 13 s  a b c d e +2
… and 1 200 more

LAST ERRORS (UTC)
19:23:00  warn   redis is away";
    assert_eq!(shown(|_| (), usize::MAX, None).join("\n"), expected);
}

#[test]
fn a_small_terminal_is_not_left() {
    let many = |report: &mut Value| {
        let channel = |number: usize| json!({ "name": format!("c{number}"), "subscribers": 1, "events": 1, "deliveries": 1 });
        report["channels"]["list"] = (0..100).map(channel).collect();
        let error = report["errors"]["list"][0].clone();
        report["errors"]["list"] = vec![error; 100].into();
    };
    for (columns, rows) in [(80, 24), (40, 12), (10, 8), (200, 60)] {
        let lines = shown(many, columns, Some(rows));
        assert!(lines.len() <= rows.max(12), "{} lines of {rows}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= columns), "{columns}: {lines:#?}");
    }
    let lines = shown(many, 120, Some(40));
    for part in ["c3 ", "192.0.2.4", "redis is away"] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part} is not in {lines:#?}");
    }
}

#[test]
fn what_is_wrong_is_said_and_no_terminal_obeys_it() {
    let wrong = |report: &mut Value| {
        report["store"]["healthy"] = json!(false);
        report["store"]["trouble"] = json!("gone\u{1b}[2J\nfor good");
        report["workers"][1]["up"] = json!(false);
        report["server"]["draining"] = json!(true);
    };
    let lines = shown(wrong, usize::MAX, None);
    for expected in [
        "! gone\\u{1b}[2J\\nfor good",
        "! 1 of 2 workers do not answer",
        "geocast 0.1.0  ws://127.0.0.1:8765/ws  up 2 h 13 min  stopping",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} is not in {lines:#?}");
    }
    let report = Report::read(report()).unwrap();
    let rates = Rates::none();
    let table = Table::new("unix:a", &report, &rates).in_trouble(Some("it is away"));
    assert_eq!(table.lines(80, None)[1], "! it is away");
}
