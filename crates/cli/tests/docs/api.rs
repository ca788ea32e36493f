//! The descriptions of `geocast describe`: as recorded in docs/api, right by the schemas of their formats, and true of what a server says.

use std::{collections::BTreeSet, fs};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    deploy::options,
    geocast::{PATIENCE, Running, code, geocast, run, stderr, stdout, wait_until},
    pages::{Page, root},
    schemas::{all_faults, faults, openapi_faults},
};

#[test]
fn descriptions_are_as_recorded() {
    let mut differing = Vec::new();
    for what in ["openapi", "asyncapi", "openrpc", "config"] {
        let output = run(&["describe", what]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let (path, text) = (root().join(format!("docs/api/{what}.json")), stdout(&output));
        if std::env::var_os("UPDATE_API").is_some() {
            fs::write(&path, &text).expect("it can be written");
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            differing.push(what);
        }
    }
    assert!(
        differing.is_empty(),
        "{differing:?} differ: UPDATE_API=1 cargo test -p geocast --test docs writes them anew"
    );
}

#[test]
fn descriptions_are_right_by_the_schemas_of_their_formats() {
    assert_eq!(openapi_faults(&described("openapi")), "");
    assert_eq!(
        faults(&format_schema("@asyncapi/specs/schemas/3.0.0-without-$id.json"), &described("asyncapi")),
        ""
    );
    assert_eq!(faults(&format_schema("@open-rpc/meta-schema/index.js"), &described("openrpc")), "");
    for (what, wrong) in [("asyncapi", "channels"), ("openrpc", "methods")] {
        let mut description = described(what);
        description[wrong] = json!(7);
        let schema = if what == "asyncapi" {
            "@asyncapi/specs/schemas/3.0.0-without-$id.json"
        } else {
            "@open-rpc/meta-schema/index.js"
        };
        assert_ne!(faults(&format_schema(schema), &description), "", "{what}");
    }
}

#[test]
fn the_schema_of_the_configuration_knows_every_option_and_its_values() {
    let schema = described("config");
    let known: BTreeSet<String> =
        schema["properties"].as_object().expect("a table").keys().cloned().collect();
    let mut options = options();
    for not_in_a_file in ["config", "help"] {
        options.remove(not_in_a_file);
    }
    // What the demo takes besides is known as well.
    let missing: Vec<_> = options.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?}");

    let mut checked = 0;
    for page in Page::all() {
        for block in page.blocks().iter().filter(|block| block.info == "toml") {
            let table: toml::Table = block.lines.join("\n").parse().expect("it is TOML");
            if table.keys().any(|key| known.contains(key)) {
                checked += 1;
                assert_eq!(faults(&schema, &json!(table)), "", "{}:{}", page.path.display(), block.line);
            }
        }
    }
    let packaged: toml::Table = fs::read_to_string(root().join("deploy/geocast.toml"))
        .expect("it is there")
        .parse()
        .expect("it is TOML");
    assert_eq!(faults(&schema, &json!(packaged)), "");
    assert!(checked >= 1, "{checked} examples in the pages");

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("geocast.json");
    for (config, right) in [
        (
            json!({ "ping_interval": "25s", "max_message": "16KiB", "workers": 2, "deflate": true, "overflow": "latest" }),
            true,
        ),
        (
            json!({ "drain_spread": 0, "max_publication": 4096, "channels": ["a", "b*"], "flags": ["deflate"] }),
            true,
        ),
        (json!({ "ping_interval": 25 }), false),
        (json!({ "max_message": "16 furlongs" }), false),
        (json!({ "deflate": "perhaps" }), false),
        (json!({ "overflow": "never" }), false),
        (json!({ "max_subscriptions": "many" }), false),
        (json!({ "no_such_option": 1 }), false),
        (json!({ "limits": { "max_message": 1 } }), false),
    ] {
        assert_eq!(faults(&schema, &config).is_empty(), right, "{config} by the schema");
        fs::write(&file, config.to_string()).expect("the folder is ours");
        let output = run(&["check", "--config", &file.display().to_string(), "--port", "0"]);
        assert_eq!(code(&output) == 0, right, "{config} by the program: {}", stderr(&output));
    }
}

#[test]
fn every_address_is_described() {
    let paths = described("openapi")["paths"].as_object().expect("a table").clone();
    let router = fs::read_to_string(root().join("crates/server/src/http/router.rs")).expect("it is there");
    let routes = router.split(".route(").skip(1).filter_map(|call| call.split('"').nth(1));
    let routes: Vec<String> =
        routes.map(|route| route.replace("{prefix}", "").replace("{{", "{").replace("}}", "}")).collect();
    assert!(routes.len() > 8, "{routes:?}");
    // What people look at is none of it.
    for route in routes.iter().filter(|route| !["/", "/api"].contains(&route.as_str())) {
        let is_described = paths.contains_key(route) || paths.contains_key(&format!("{route}/"));
        assert!(is_described, "{route} is not described");
    }
}

#[test]
fn what_is_answered_over_http_is_as_described() {
    let openapi = described("openapi");
    let token = tempfile::NamedTempFile::new().expect("a file");
    fs::write(token.path(), "sesame").expect("the file is ours");
    let operated = ["--operator-token-file", token.path().to_str().expect("a path")];
    let served = ["serve", "--port", "0", "--channels", "test", "--publish-key", "key"];
    let server = Running::server(&[&served[..], &operated].concat());
    let page = format!("http://{}", server.address());
    let looking = ["sub", "test", "--bbox", "5,45,11,48", "--url", &server.url()];
    let _looking = Running::start(geocast(&looking));
    let is_seen = || {
        let mut curl = std::process::Command::new("curl");
        let asked = curl.args(["--silent", "--header", "Authorization: Bearer sesame"]);
        let shown = asked.arg(format!("{page}/api/operator")).output().expect("there is curl");
        stdout(&shown).contains("\"corners\"")
    };
    wait_until(is_seen, || "nobody is seen to look anywhere".to_owned());
    let (mut pairs, mut answered) = (Vec::new(), BTreeSet::new());
    for (method, described, path, key, body) in [
        ("get", "/live", "/live", "", ""),
        ("get", "/ready", "/ready", "", ""),
        ("get", "/api/channels", "/api/channels", "", ""),
        ("get", "/metrics", "/metrics", "", ""),
        ("get", "/api/operator", "/api/operator", "", ""),
        ("get", "/api/operator", "/api/operator?limit=many", "sesame", ""),
        ("post", "/api/publish/{channel}", "/api/publish/test", "key", "{}"),
        ("post", "/api/publish/{channel}", "/api/publish/test", "", "{}"),
        ("post", "/api/publish/{channel}", "/api/publish/test", "wrong", "{}"),
        ("post", "/api/publish/{channel}", "/api/publish/test", "key", ""),
        ("put", "/api/state/{channel}/{key}", "/api/state/test/7", "key", "{}"),
        ("delete", "/api/state/{channel}/{key}", "/api/state/test/7", "key", ""),
        ("delete", "/api/state/{channel}/{key}", "/api/state/test/8", "key", ""),
        ("post", "/channel/{name}/", "/channel/test/", "key", "{}"),
        ("post", "/channel/{name}/", "/channel/test/", "wrong", "{}"),
        ("post", "/broadcast/", "/broadcast/", "key", "nonsense"),
        // Last, when there is something to be shown.
        ("get", "/api/operator", "/api/operator", "sesame", ""),
    ] {
        let mut curl = std::process::Command::new("curl");
        curl.args(["--silent", "--write-out", "\n%{http_code}", "--request", &method.to_uppercase()]);
        if !body.is_empty() {
            curl.args(["--data", body]);
        }
        if !key.is_empty() {
            curl.args(["--header", &format!("Authorization: Bearer {key}")]);
        }
        let output = curl.arg(format!("{page}{path}")).output().expect("there is curl");
        let said = stdout(&output);
        let (text, status) = said.rsplit_once('\n').expect("a status");
        let response = &openapi["paths"][described][method]["responses"][status];
        assert!(response.is_object(), "{method} {path} is answered by {status}, which is not described");
        let mut schema = response["content"]["application/json"]["schema"].clone();
        schema["components"] = openapi["components"].clone();
        pairs.push((schema, serde_json::from_str(text).expect("JSON")));
        answered.insert((described, method));
    }
    let described: BTreeSet<(&str, &str)> = openapi["paths"]
        .as_object()
        .expect("a table")
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().expect("a table").keys().map(|method| (path.as_str(), method.as_str()))
        })
        .filter(|(_, method)| *method != "parameters")
        .collect();
    assert_eq!(answered, described, "what is described, and what was asked for");
    assert_eq!(all_faults(&pairs), "");
}

#[test]
fn what_is_said_over_websockets_is_as_described() {
    let messages = described("asyncapi")["components"]["messages"].clone();
    let schema = |name: &str| {
        let payload = &messages[name]["payload"];
        assert!(payload.is_object(), "{name} is not described");
        payload.clone()
    };
    let server = Running::server(&["serve", "--port", "0", "--history", "vehicles=100"]);
    let mut pairs = Vec::new();
    let mut told = BTreeSet::new();
    for said in converse(&server, "rpc", &calls()) {
        let name = match (&said["method"], &said["id"]) {
            (Value::String(method), _) => format!("rpc.notification.{method}"),
            (_, Value::String(method)) if said["error"].is_null() => format!("rpc.result.{method}"),
            _ => "rpc.error".to_owned(),
        };
        pairs.push((schema(&name), said));
        told.insert(name);
    }
    let called = calls();
    pairs.extend(called.iter().map(|call| {
        (schema(&format!("rpc.call.{}", call["method"].as_str().expect("a name"))), call.clone())
    }));
    for name in messages.as_object().expect("a table").keys().filter(|name| name.starts_with("rpc.result.")) {
        assert!(told.contains(name) || name == "rpc.result.presence", "{name} was not answered");
    }
    for name in ["message", "enter", "update", "leave", "diff"] {
        assert!(told.contains(&format!("rpc.notification.{name}")), "{name} was not pushed: {told:?}");
    }
    assert!(told.contains("rpc.error"), "nothing failed");

    let texts = ["SUB vehicles", "GET vehicles", "nonsense", "BUFFER 10 2"].map(|text| json!(text));
    for said in converse(&server, "ws", &texts) {
        pairs.push((schema(if said.is_array() { "text.batch" } else { "text.envelope" }), said));
    }
    pairs.extend(texts.map(|text| (schema("text.command"), text)));
    let requests = [json!({ "id": 1, "type": "ping" }), json!({ "id": 2, "type": "dance" })];
    pairs.extend(
        converse(&server, "rohrpost/", &requests).into_iter().map(|said| (schema("rohrpost.reply"), said)),
    );
    pairs.extend(requests.map(|request| (schema("rohrpost.request"), request)));
    assert!(pairs.len() > 40, "{} messages only", pairs.len());
    assert_eq!(all_faults(&pairs), "");

    let mut wrong = pairs[0].clone();
    wrong.1["jsonrpc"] = json!("1.0");
    assert_ne!(all_faults(&[wrong]), "");
}

/// One call of each method at least, whose ids are their names, and what makes the server push.
fn calls() -> Vec<Value> {
    let point = |x: f64| json!({ "type": "Feature", "id": 7, "geometry": { "type": "Point", "coordinates": [x, 47] }, "properties": {} });
    let put = |x: f64| ("publish", json!({ "channel": "vehicles", "key": "7", "data": point(x) }));
    let calls = vec![
        ("ping", json!({ "data": 1 })),
        ("rpc.discover", json!({})),
        ("viewport", json!({ "bbox": [5.9, 45.8, 10.5, 47.8] })),
        ("subscribe", json!({ "channel": "vehicles" })),
        put(8.0),
        ("get", json!({ "channel": "vehicles" })),
        ("history", json!({ "channel": "vehicles" })),
        ("subscribe", json!({ "channel": "vehicles", "track": true })),
        put(9.0),
        put(50.0),
        put(8.5),
        ("subscribe", json!({ "channel": "vehicles", "track": true, "format": "maplibre" })),
        put(8.6),
        ("session", json!({})),
        ("buffer", json!({ "milliseconds": 0, "count": 0 })),
        ("projection", json!({ "crs": "EPSG:3857" })),
        ("get", json!({ "channel": "no channel" })),
        ("unsubscribe", json!({ "channel": "vehicles" })),
    ];
    let calls = calls.into_iter();
    calls
        .map(|(method, params)| json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": params }))
        .collect()
}

/// Says some things one after the other, and returns all that comes of them.
fn converse(server: &Running, path: &str, said: &[Value]) -> Vec<Value> {
    let url = format!("ws://{}/{path}", server.address());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut socket, _) = connect_async(url).await.expect("it takes connections");
        let mut heard: Vec<Value> = Vec::new();
        for one in said {
            let text = one.as_str().map_or_else(|| one.to_string(), str::to_owned);
            socket.send(Message::text(text)).await.expect("it is open");
            // What is answered comes before the answer to a ping, what is pushed perhaps not.
            socket.send(Message::Ping("turn".into())).await.expect("it is open");
            let (mut turn, mut pushed) = (false, !pushes(one));
            while !turn || !pushed {
                let next = timeout(PATIENCE, socket.next()).await;
                match next.unwrap_or_else(|_| panic!("{one}: not all comes of it")).expect("it stays open") {
                    Ok(Message::Text(text)) => {
                        let text: Value = serde_json::from_str(&text).expect("JSON");
                        pushed |= text["params"].is_object();
                        heard.push(text);
                    }
                    Ok(Message::Pong(_)) => turn = true,
                    Ok(_) => {}
                    Err(error) => panic!("{one}: {error}"),
                }
            }
        }
        heard
    })
}

/// Whether a call makes the server push one thing: what is published does, and the one feature of what is tracked.
fn pushes(call: &Value) -> bool {
    call["method"] == "publish" || call["params"]["track"] == true
}

fn described(what: &str) -> Value {
    serde_json::from_str(&stdout(&run(&["describe", what]))).expect("JSON")
}

/// One of a package of npm: a file of JSON, or a script that has it as its one constant.
fn format_schema(package: &str) -> Value {
    let path = root().join("crates/cli/tests/docs/node_modules").join(package);
    let text = fs::read_to_string(&path);
    let text =
        text.unwrap_or_else(|error| panic!("{}: {error}: `make setup-test` installs it", path.display()));
    let Some((_, constant)) = text.split_once("exports.openrpcDocument = {") else {
        return serde_json::from_str(&text).expect("JSON");
    };
    let (constant, _) = constant.split_once("};").expect("it ends");
    // It calls draft 7 by a name of its own, under which nobody knows it.
    let constant = constant
        .replace("https://meta.json-schema.tools/#", DRAFT_7)
        .replace("https://meta.json-schema.tools", DRAFT_7);
    let mut schema: Value = serde_json::from_str(&format!("{{{constant}}}")).expect("JSON");
    schema["$schema"] = json!(DRAFT_7);
    schema
}

const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";
