//! GET, GET of a key, PGET, and `get` of JSON-RPC.

use serde_json::{Value, json};

use super::{OUTSIDE, mixed, outside, point, rpc, start, text, within};
use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(state_is_within_in_the_text_dialect, state_is_within_in_json_rpc,);

async fn fill(server: &TestServer) {
    for (index, payload) in outside().into_iter().enumerate() {
        server.put("map", &format!("outside-{index}"), payload).await;
    }
    server.put("map", "in", point("in", 3.5)).await;
    server.put("map", "mixed", mixed()).await;
}

fn is_trimmed(collection: &Value) -> bool {
    let members = collection.as_object().map(serde_json::Map::len);
    members == Some(2) && collection["features"].as_array().is_some_and(|features| features.len() == 1)
}

async fn state_is_within_in_the_text_dialect(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    fill(&server).await;
    for bbox in [None, Some("BBOX 0 0 90 90"), Some("BBOX 0 0 20037508 20037508 crs=epsg:3857 members=whole")]
    {
        let mut client = text(&server, &within()).await;
        if let Some(command) = bbox {
            client.send(command).await;
        }
        for (command, projected) in [("GET map", false), ("PGET map projection=epsg:3857", true)] {
            client.send(command).await;
            let both = [client.next_content().await, client.next_content().await];
            assert!(both.iter().any(|content| content["id"] == "in"), "{both:?}");
            assert!(both.iter().any(is_trimmed), "{both:?}");
            let x = both
                .iter()
                .find(|content| content["id"] == "in")
                .map(|content| &content["geometry"]["coordinates"][0]);
            assert_eq!(x == Some(&json!(3.5)), !projected, "{both:?}");
            client.expect_nothing(&server).await;
        }
        for key in 0..outside().len() {
            for command in
                [format!("GET map outside-{key}"), format!("PGET map outside-{key} projection=epsg:3857")]
            {
                client.send(&command).await;
                assert_eq!(client.next_content().await, Value::Null, "{command}");
            }
        }
        client.send("GET map in").await;
        assert_eq!(client.next_content().await["id"], "in");
        client.send("GET map mixed").await;
        assert!(is_trimmed(&client.next_content().await));
    }
}

async fn state_is_within_in_json_rpc(backend: Backend) {
    let (server, _keys) = start(backend, |_| ()).await;
    fill(&server).await;
    let mut caller = rpc(&server, &within()).await;
    for params in [json!({ "channel": "map" }), json!({ "channel": "map", "projection": "EPSG:2056" })] {
        let result = caller.call("get", params).await;
        let values = result["values"].as_array().expect("values");
        assert_eq!(values.len(), 2, "{result}");
        assert!(values.iter().any(is_trimmed) && !result.to_string().contains(OUTSIDE), "{result}");
    }
    for key in 0..outside().len() {
        let params = json!({ "channel": "map", "key": format!("outside-{key}") });
        assert_eq!(caller.call("get", params.clone()).await["values"], json!([]), "{params}");
    }
    // In a batch as well.
    let batch = json!([
        { "jsonrpc": "2.0", "id": "a", "method": "get", "params": ["map", "outside-0"] },
        { "jsonrpc": "2.0", "id": "b", "method": "get", "params": ["map"] },
    ]);
    caller.client.send(batch.to_string()).await;
    let answer = caller.client.next().await;
    assert_eq!(answer.as_array().map(Vec::len), Some(2), "{answer}");
    assert!(!answer.to_string().contains(OUTSIDE), "{answer}");
}
