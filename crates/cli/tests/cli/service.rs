use std::{fs, os::unix::net::UnixDatagram, path::Path, process::Command, time::Duration};

use crate::geocast::{PATIENCE, Running, geocast, run, stdout};

/// What the service manager hears next.
fn heard(socket: &UnixDatagram) -> String {
    let mut message = [0; 256];
    let length = socket.recv(&mut message).expect("something is said in time");
    String::from_utf8(message[..length].to_vec()).expect("it is text")
}

/// The next that is no sign of life.
fn told(socket: &UnixDatagram) -> String {
    std::iter::repeat_with(|| heard(socket)).find(|message| message != "WATCHDOG=1").expect("it never ends")
}

/// What the unit that is packaged says, under its last line of this key.
fn unit(key: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/geocast.service");
    let unit = fs::read_to_string(path).expect("it is there");
    let mut lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.next_back().unwrap_or_else(|| panic!("{key} is not set")).to_owned()
}

#[test]
fn a_service_manager_hears_of_every_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = geocast(&["serve", "--port", "0", "--jwt-key-file"]);
    let key = folder.path().join("key");
    fs::write(&key, "a secret of more than thirty-two bytes").unwrap();
    command.arg(&key).env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000");
    let mut server = Running::start(command);
    assert_eq!(told(&socket), "READY=1");
    for _ in 0..3 {
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }
    let reload =
        Command::new("sh").args(["-c", &unit("ExecReload")]).env("MAINPID", server.id().to_string()).status();
    assert!(reload.expect("there is a shell").success());
    let reloading = told(&socket);
    let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading);
    assert!(since.parse::<u64>().is_ok_and(|since| since > 0), "{since}");
    assert_eq!(told(&socket), "READY=1");
    server.wait_for(" INFO read again: settings, keys and scripts");
    server.signal("TERM");
    assert_eq!(told(&socket), "STOPPING=1");
    assert_eq!(server.code(), 0);
}

#[test]
fn a_watchdog_of_another_process_is_not_fed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = geocast(&["serve", "--port", "0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "40000").env("WATCHDOG_PID", "1");
    let mut server = Running::start(command);
    server.wait_for("listens on");
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(heard(&socket), "READY=1");
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(socket.recv(&mut [0; 256]).is_err(), "nothing more is said");
    server.signal("TERM");
    assert_eq!(server.code(), 0);
}

/// What else it says, systemd itself judges in `make packages`.
#[test]
fn the_unit_leaves_time_for_a_drain() {
    let seconds =
        |key: &str| unit(key).strip_suffix('s').and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let help = stdout(&run(&["serve", "--help"]));
    let default = |option: &str| {
        let said =
            help.split(&format!("--{option} ")).nth(1).and_then(|rest| rest.split("[default: ").nth(1));
        let seconds =
            said.and_then(|rest| rest.split_once("s]")).and_then(|(seconds, _)| seconds.parse().ok());
        Duration::from_secs(seconds.unwrap_or_else(|| panic!("{option} has no default")))
    };
    let drain = default("drain-delay") + default("drain-timeout") + default("close-timeout");
    assert!(default("drain-spread") + default("close-timeout") < default("drain-timeout"));
    assert!(seconds("TimeoutStopSec").is_some_and(|stop| stop > drain), "{drain:?}");
}
