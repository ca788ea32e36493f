use crate::{
    geocast::{code, run, stderr, stdout},
    redis_server::RedisServer,
};

#[test]
fn a_sound_configuration_passes() {
    let output = run(&["check", "--port", "0"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("configuration valid\n"), "{}", stdout(&output));
    assert!(stdout(&output).contains("store         embedded"), "{}", stdout(&output));
}

#[test]
fn redis_is_tried_in_earnest() {
    let redis = RedisServer::start(&["--requirepass", "tram14"]);
    let url = redis.url();
    let with_password = url.replace("redis://", "redis://:tram14@");
    let output = run(&["check", "--port", "0", "--redis", &with_password, "--channels", "*"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("answers, and what is published there arrives"), "{}", stdout(&output));

    let output = run(&["check", "--port", "0", "--redis", &with_password]);
    assert_eq!(code(&output), 1, "nobody may read anything");
    assert!(stdout(&output).contains("--channels"), "{}", stdout(&output));

    let output = run(&["check", "--port", "0", "--redis", &url, "--channels", "*"]);
    assert_eq!(code(&output), 4);
    assert!(
        stderr(&output).contains("it wants a password: --redis redis://:PASSWORD@HOST"),
        "{}",
        stderr(&output)
    );

    let wrong = url.replace("redis://", "redis://:tram15@");
    let output = run(&["check", "--port", "0", "--redis", &wrong, "--channels", "*"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("check user and password"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("tram15"), "{}", stderr(&output));
}

#[test]
fn a_redis_that_is_away_is_told_with_what_to_type() {
    let redis = RedisServer::prepare(&[]);
    let output = run(&["check", "--port", "0", "--redis", &redis.url(), "--channels", "*"]);
    assert_eq!(code(&output), 4);
    let said = stderr(&output);
    assert!(
        said.contains("Connection refused") && said.contains("redis-cli -u redis://127.0.0.1:"),
        "{said}"
    );
}
