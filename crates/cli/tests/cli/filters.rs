//! Filters on the command line and in the file of the reference.

use std::fs;

use crate::geocast::{Running, code, run, run_with_input, stderr};

#[test]
fn the_file_of_the_reference_is_understood() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.json");
    let text = r#"# a comment
{
    "port": "9999",
    # another one
    "flags": ["insecure_any_origin"],
    "filters": ["filtered_websocket.filters.broadcast_messages_by_token", "filtered_websocket.filters.stdout_messages"]
}
"#;
    fs::write(&path, text).expect("a file can be written");
    let path = path.to_str().expect("a plain name");
    // The command line wins over the file.
    let server = Running::server(&["serve", "-c", path, "--port", "0"]);
    assert_ne!(server.address().port(), 9999);
    assert!(server.said().contains("insecure_any_origin"), "{}", server.said());
    let url = format!("ws://{}/pipeline", server.address());
    run_with_input(&["sub", "news", "--url", &url, "--timeout", "1s", "--no-reconnect"], b"");
    assert_eq!(server.line(), "--MESSAGE--");
    assert!(server.line().ends_with(" => SUB news"), "what a client says is printed");

    for (text, said) in [
        ("{\"flags\":[\"port\"]}", "`port=true` in "),
        ("{\"flags\":[\"nothing\"]}", "`nothing` in "),
        ("{\"flags\":true}", "`flags=true` in "),
        ("{\"filters\":[\"shout\"]}", "there is no filter `shout`"),
        ("#\n#\n{\"prot\":1}", "line 3 is no option of geocast; did you mean `port`?"),
    ] {
        fs::write(path, text).expect("a file can be written");
        let output = run(&["serve", "--config", path]);
        assert_eq!(code(&output), 2, "{text}");
        assert!(stderr(&output).contains(said), "{text}: {}", stderr(&output));
    }
}

#[test]
fn filters_are_named_one_after_the_other() {
    let server = Running::server(&["serve", "-f", "stdout_rawdata", "stdout_messages", "--port", "0"]);
    server.wait_for("  filters    stdout_rawdata, stdout_messages (for messages on / and /pipeline)\n");
    let url = format!("ws://{}/", server.address());
    run_with_input(&["sub", "a", "--url", &url, "--timeout", "1s", "--no-reconnect"], b"");
    assert_eq!([server.line(), server.line(), server.line()], ["--RAWDATA--", "SUB a", "--MESSAGE--"]);
    for (names, said) in [
        (&["stdout_pubsub", "stdout_pubsub"][..], "the filter `stdout_pubsub` is named twice"),
        (
            &["./none.rhai"],
            "the script ./none.rhai: it cannot be read: No such file or directory (os error 2)\n",
        ),
    ] {
        let output = run(&[&["serve", "-f"], names].concat());
        assert_eq!(code(&output), 2, "{names:?}");
        assert!(stderr(&output).contains(said), "{names:?}: {}", stderr(&output));
    }
}
