//! The pages of docs/tracking.md, whose scripts run here with a browser's objects that only note what they are told.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

/// What a page has sent and shows, after a server has said something. The stub has to say what is shown, as `shown()`.
async fn run(number: usize, stub: &str, frames: &[Value]) -> Value {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tracking.md");
    let page = std::fs::read_to_string(page).expect("the page is in the tree");
    let scripts: Vec<&str> =
        page.split("\n<script>\n").skip(1).filter_map(|rest| rest.split("</script>").next()).collect();
    assert_eq!(scripts.len(), 2, "one for each library");
    let frames: Vec<String> = frames.iter().map(|frame| frame.to_string().replace('\'', "\\u0027")).collect();
    let says: String =
        frames.iter().map(|frame| format!("socket.onmessage({{ data: '{frame}' }});\n")).collect();
    let program = format!(
        "{SOCKET}{stub}{}\nsocket.onopen();\n{says}console.log(JSON.stringify({{ sent, shown: shown() }}));\n\
         socket.onclose({{ code: 3500 }});",
        scripts[number]
    );
    let mut node = Command::new("node");
    let output = node.args(["-e", &program]).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = output.await.expect("there is node");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn point(x: u32, line: &str) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [x, 47] });
    json!({ "type": "Feature", "id": 7, "geometry": geometry, "properties": { "line": line } })
}

#[tokio::test]
async fn a_page_of_maplibre_shows_what_it_is_told() {
    let told = |diff: Value| json!({ "source": "vehicles", "content": diff, "timestamp": 1.0 });
    let status = json!({ "source": "websocket", "content": { "status": "open" }, "timestamp": 1.0 });
    let update = json!({
        "id": 7,
        "newGeometry": { "type": "Point", "coordinates": [9, 47] },
        "removeAllProperties": true,
        "addOrUpdateProperties": [{ "key": "line", "value": "S 5" }],
    });
    let said = [
        status,
        told(json!({ "add": [point(8, "S 4")] })),
        told(json!({ "add": [{ "type": "Feature", "id": "x", "geometry": null }] })),
        told(json!({ "update": [update] })),
        told(json!({ "remove": ["x"] })),
    ];
    let page = run(0, MAPLIBRE, &said).await;
    assert_eq!(page["sent"], json!(["BBOX 5 45 10 48", "SUB vehicles track maplibre"]));
    assert_eq!(page["shown"], json!([point(9, "S 5")]));
}

#[tokio::test]
async fn a_page_of_openlayers_shows_what_it_is_told() {
    let told = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params });
    let said = [
        json!({ "jsonrpc": "2.0", "id": 3, "result": { "channel": "vehicles", "tracked": true } }),
        told("enter", json!({ "source": "vehicles", "key": 7, "content": point(8, "S 4") })),
        told("enter", json!({ "source": "vehicles", "key": "x", "content": point(1, "x") })),
        told("update", json!({ "source": "vehicles", "key": "7", "content": point(9, "S 5") })),
        told("leave", json!({ "source": "vehicles", "key": "x", "reason": "moved" })),
    ];
    let page = run(1, OPENLAYERS, &said).await;
    let sent = page["sent"].as_array().expect("calls").iter();
    let sent: Vec<Value> =
        sent.map(|call| serde_json::from_str(call.as_str().expect("a text")).expect("JSON")).collect();
    let call = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    assert_eq!(
        sent,
        [
            call(1, "projection", json!({ "crs": "EPSG:3857" })),
            call(2, "viewport", json!({ "bbox": [1, 2, 3, 4], "crs": "EPSG:3857" })),
            call(3, "subscribe", json!({ "channel": "vehicles", "track": true })),
        ]
    );
    assert_eq!(page["shown"], json!([point(9, "S 5")]));
}

/// A WebSocket of a browser.
const SOCKET: &str = "
'use strict';
let socket;
const sent = [];
class WebSocket {
  constructor() { socket = this; }
  send(text) { sent.push(text); }
}
";

/// As much of MapLibre as the page needs; `updateData` fails where a map would not find the id.
const MAPLIBRE: &str = "
const features = new Map();
const find = (id) => features.get(id) ?? (() => { throw new Error(`there is no ${id}`); })();
const vehicles = {
  setData({ features: given }) { features.clear(); given.forEach((feature) => features.set(feature.id, feature)); },
  updateData({ remove = [], add = [], update = [] }) {
    for (const id of remove) { find(id); features.delete(id); }
    for (const feature of add) features.set(feature.id, feature);
    for (const { id, newGeometry, removeAllProperties, addOrUpdateProperties } of update) {
      const feature = find(id);
      feature.geometry = newGeometry;
      if (removeAllProperties) feature.properties = {};
      for (const { key, value } of addOrUpdateProperties) feature.properties[key] = value;
    }
  },
};
const shown = () => [...features.values()];
const maplibregl = { Map: class {
  on(event, work) { if (event === 'load') work(); }
  off() {}
  addSource() {}
  addLayer() {}
  getSource() { return vehicles; }
  getBounds() { return { getWest: () => 5, getSouth: () => 45, getEast: () => 10, getNorth: () => 48 }; }
} };
";

/// As much of OpenLayers as the page needs; a source fails that is to remove what it does not have.
const OPENLAYERS: &str = "
const drawn = new Set();
const shown = () => [...drawn].map((feature) => feature.read);
class Source {
  addFeature(feature) { drawn.add(feature); }
  removeFeature(feature) { if (!drawn.delete(feature)) throw new Error('it is not there'); }
  clear() { drawn.clear(); }
}
class Nothing {}
const ol = {
  source: { Vector: Source, OSM: Nothing },
  layer: { Tile: Nothing, Vector: Nothing },
  proj: { fromLonLat: (place) => place },
  View: class { calculateExtent() { return [1, 2, 3, 4]; } },
  format: { GeoJSON: class { readFeature(read) { return { read }; } } },
  Map: class {
    constructor({ view }) { this.view = view; }
    on() {}
    un() {}
    getView() { return this.view; }
    getSize() { return [1, 1]; }
  },
};
";
