use std::{fs, path::Path, process::Command};

use crate::geocast::{Running, code, geocast, run, run_with_input, stderr, stdout};

const SECRET: &str = "correct horse battery staple; and more";

/// A file in a folder of the test's own.
fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is ours");
    path.display().to_string()
}

fn made(arguments: &[&str]) -> String {
    let output = run(&[&["token", "make"], arguments].concat());
    assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
    assert_eq!(stderr(&output), "", "nobody looks on");
    stdout(&output).trim_end().to_owned()
}

/// A key that openssl makes, the public set of it, a server with that, and clients with tokens.
#[test]
fn what_is_made_opens_what_it_names_on_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key.pem").display().to_string();
    let openssl = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out", &key]).output();
    assert!(openssl.expect("there is openssl").status.success());
    let secret = file(folder.path(), "secret.txt", SECRET);
    let set = run(&["token", "keys", "--key-file", &key, "--kid", "first"]);
    assert_eq!(code(&set), 0, "{}", stderr(&set));
    let jwks = file(folder.path(), "keys.json", &stdout(&set));
    let options = ["--port", "0", "--jwks-file", &jwks, "--jwt-key-file", &secret, "--channels", "news"];
    let server = Running::server(&[&["serve"][..], &options].concat());
    let url = server.url();
    for key in [&key, &secret] {
        let token = made(&["--key-file", key, "--kid", "first", "--sub", "team_*", "--pub", "team_a"]);
        let publish = |channel| {
            geocast(&["pub", channel, "--key", "1", "7", "--url", &url]).env("GEOCAST_TOKEN", &token).output()
        };
        assert_eq!(code(&publish("team_a").expect("it runs")), 0, "{key}");
        assert_eq!(code(&publish("team_b").expect("it runs")), 1, "{key}");
        let read = geocast(&["get", "team_a", "1", "--url", &url]).env("GEOCAST_TOKEN", &token).output();
        assert_eq!(stdout(&read.expect("it runs")), "7\n", "{key}");

        let checked = run_with_input(
            &[
                "token",
                "check",
                "--jwks-file",
                &jwks,
                "--jwt-key-file",
                &secret,
                "--channels",
                "news",
                "--channel",
                "team_a,news,other",
            ],
            format!("{token}\n").as_bytes(),
        );
        assert_eq!(code(&checked), 0, "{}{}", stdout(&checked), stderr(&checked));
        let said = stdout(&checked);
        assert!(said.starts_with("accepted\n  reads team_*\n  publishes to team_a\n  until 2"), "{said}");
        for line in [
            "team_a: may be read, by the token; may be published to\n",
            "news: may be read, as everybody may; may not be published to\n",
            "other: may not be read; may not be published to\n",
        ] {
            assert!(said.contains(line), "{said}");
        }
    }
}

/// What `check` says is what the server answers.
#[test]
fn what_is_refused_is_refused_with_the_servers_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = file(folder.path(), "secret.txt", SECRET);
    let other = file(folder.path(), "other.txt", "another secret that has thirty-two bytes");
    let config = file(
        folder.path(),
        "geocast.toml",
        &format!(
            "port = 0\nchannels = \"news\"\njwt_key_file = {secret:?}\njwt_issuer = \"me\"\njwt_audience = \"maps\"\n"
        ),
    );
    let server = Running::server(&["serve", "--config", &config]);
    let ours = ["--issuer", "me", "--audience", "maps", "--sub", "a"];
    let make = |key: &str, more: &[&str]| made(&[&["--key-file", key], more].concat());
    let tampered = make(&secret, &ours).replacen('.', ".e", 1);
    for (token, reason, answer) in [
        (make(&secret, &ours), "accepted", None),
        (make(&other, &ours), "signature is not that of the key", Some("token_refused")),
        (
            make(&secret, &["--issuer", "you", "--audience", "maps", "--sub", "a"]),
            "issuer `you`",
            Some("token_refused"),
        ),
        (make(&secret, &["--issuer", "me", "--sub", "a"]), "another audience", Some("token_refused")),
        (tampered, "signature is not that of the key", Some("token_refused")),
        ("x".to_owned(), "three parts", Some("token_refused")),
    ] {
        let checked = run(&["token", "check", &token, "--config", &config]);
        let said = stdout(&checked);
        assert!(said.contains(reason), "{said}{}", stderr(&checked));
        assert_eq!(code(&checked), i32::from(answer.is_some()), "{said}");
        let served = geocast(&["get", "news", "--url", &server.url()]).env("GEOCAST_TOKEN", &token).output();
        let served = stderr(&served.expect("it runs"));
        match answer {
            None => assert!(!served.contains("401"), "{served}"),
            Some(code) => {
                assert!(said.contains(&format!("clients are told 401 {code}: ")), "{said}");
                assert!(served.contains("the token is not accepted (HTTP 401)"), "{served}");
            }
        }
    }
}

#[test]
fn limits_and_names_are_put_into_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = file(folder.path(), "secret.txt", SECRET);
    let region = file(folder.path(), "region.json", r#"{"max_area": 50000}"#);
    let geo = format!("@{region}");
    let token =
        made(&["--key-file", &secret, "--sub", "a", "--geo", &geo, "--user", "anna", "--never-expires"]);
    let said = stdout(&run(&["token", "check", &token, "--jwt-key-file", &secret]));
    let expected = "accepted\n  reads a\n  publishes to nothing\n  for as long as its key, as it has no `exp`\n  \
                    named \"anna\"\n  limited to a part of the world (`geo`)\n";
    assert_eq!(said, expected);
}

#[test]
fn what_makes_no_token_is_told_with_what_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = file(folder.path(), "secret.txt", SECRET);
    let short = file(folder.path(), "short.txt", "sesame");
    for (arguments, expected) in [
        (&["make", "--key-file", &secret][..], "name some with --sub PATTERNS"),
        (&["make", "--key-file", &short, "--sub", "a"], "HS256 needs 32 at least"),
        (&["make", "--key-file", "/nowhere", "--sub", "a"], "/nowhere cannot be read"),
        (&["make", "--key-file", &secret, "--sub", "a", "--geo", "{"], "is no JSON"),
        (
            &["make", "--key-file", &secret, "--sub", "a", "--geo", "{\"witin\":1}"],
            "no server would accept this token",
        ),
        (&["keys", "--key-file", &secret], "which has no public part"),
        (&["check", "a.b.c"], "give the server's --jwks-file, --jwt-key-file or --config"),
        (&["check", "--jwt-key-file", &secret], "there is no token on standard input"),
    ] {
        let output = run(&[&["token"], arguments].concat());
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(expected) && !said.contains("sesame") && !said.contains("horse"), "{said}");
        assert_eq!(stdout(&output), "");
    }
}
