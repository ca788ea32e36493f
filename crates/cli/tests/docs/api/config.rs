use std::{collections::BTreeSet, fs};

use serde_json::json;

use super::described;
use crate::{
    deploy::options,
    geocast::{code, run, stderr},
    pages::{Page, root},
    schemas::faults,
};

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
