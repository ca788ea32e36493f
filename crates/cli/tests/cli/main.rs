//! The binary as users run it: processes, sockets and signals.

mod bench;
mod check;
mod clients;
mod config_files;
mod configuration;
mod conformance;
mod data;
mod demo;
mod descriptors;
mod dialects;
mod doctor;
mod doctor_sentinels;
mod faults;
mod filters;
mod geocast;
mod help;
mod http;
mod javascript;
mod lifecycle;
mod live_map;
mod log_lines;
mod logs;
mod metrics;
mod migrating;
mod npm;
mod oracle;
mod presence;
mod publishers;
mod reaching;
#[path = "../../../server/tests/e2e/redis_sentinels.rs"]
#[expect(
    dead_code,
    reason = "one helper for the test binaries of all crates, each of which uses a part of it"
)]
mod redis_sentinels;
#[path = "../../../server/tests/e2e/redis_server.rs"]
#[expect(
    dead_code,
    reason = "one helper for the test binaries of all crates, each of which uses a part of it"
)]
mod redis_server;
mod reload;
mod rohrpost_conformance;
mod secrets;
mod service;
mod terminal;
mod terminals;
mod three_nodes;
mod token;
mod tokens;
mod top;
mod tracking;
#[path = "../../../server/tests/e2e/transcript.rs"]
#[expect(
    dead_code,
    reason = "one reader of transcripts for all test binaries, each of which uses a part of it"
)]
mod transcript;
mod transport;
